"""What is to be reached: Sluice's figures against the best of its peers, or against a floor."""

from dataclasses import dataclass
from statistics import median
from typing import Callable

from sluice_bench.results import Results
from sluice_bench.workload import Workload


@dataclass(frozen=True)
class Ratio:
    """Of Sluice to a reference, round by round, so that the machine's drift cancels out."""

    reference: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.rounds)


def ratio_to(
    results: Results, workload: str, metric: str, target: str, subject: str = "sluice"
) -> Ratio | None:
    ours = results.by_round(workload, subject, metric)
    theirs = results.by_round(workload, target, metric)
    rounds = tuple(ours[r] / theirs[r] for r in sorted(ours.keys() & theirs.keys()) if theirs[r])
    return Ratio(target, rounds) if rounds else None


def ratio_to_best(
    results: Results,
    workload: str,
    metric: str,
    more_is_better: bool,
    targets: list[str],
    subject: str = "sluice",
) -> Ratio | None:
    """To whichever of `targets` makes Sluice look worst."""
    ratios = [ratio_to(results, workload, metric, target, subject) for target in targets]
    known = [ratio for ratio in ratios if ratio]
    pick = min if more_is_better else max
    return pick(known, key=lambda ratio: ratio.median, default=None)


@dataclass(frozen=True)
class Goal:
    what: str
    workload: str
    metric: str
    bound: float
    against: str | tuple[str, ...] = "peers"  # peers, floor, itself, or targets by name
    at_least: bool = False
    subject: str = "sluice"


# The floor of a proxied round trip: a server's one receive and one send, twice.
_FLOOR_FACTOR = 2.0
_BULK = ("bulk-1-down", "bulk-1-up", "bulk-16-down", "bulk-16-up")
_LIGHT = ("connect-64", "ping-pong-64")


def _ours(workload: str, subject: str, reference: str, bound: float, what: str) -> Goal:
    """Sluice against itself."""
    return Goal(f"proxy CPU, {what}", workload, "cpu", bound, (reference,), subject=subject)


GOALS = [
    *(Goal("proxy CPU per GB", w, "cpu", 0.78, ("haproxy-splice",)) for w in _BULK),
    *(Goal("proxy CPU per GB", w, "cpu", 0.30, ("haproxy", "nginx")) for w in _BULK),
    *(Goal("throughput", w, "rate", 1.05, at_least=True) for w in _BULK),
    *(Goal("all CPU per GB", w, "total_cpu", 0.95) for w in _BULK),
    Goal("proxy CPU per round trip", "ping-pong-64", "cpu", 0.93),
    Goal("proxy CPU against the floor", "ping-pong-64", "cpu", 1.10, "floor"),
    Goal("p99", "ping-pong-64", "p99", 1.0),
    Goal("proxy CPU per round trip", "ping-pong-512", "cpu", 0.85),
    Goal("proxy CPU per round trip", "ping-pong-64-16k", "cpu", 0.90),
    Goal("proxy CPU per connection", "connect-64", "cpu", 0.92, ("nginx", "nginx-64k")),
    Goal("proxy CPU per connection", "connect-64", "cpu", 0.88, ("haproxy", "haproxy-splice")),
    Goal("system calls per connection", "syscalls", "syscalls", 15, "itself"),
    Goal("RSS per session", "idle", "rss_per_session", 0.1),
    Goal("RSS per session, bytes", "idle", "rss_per_session", 300, "itself"),
    *(_ours(f"features-{w}", "sluice-full", "sluice-bare", 1.03, "all features on") for w in _LIGHT),
    *(
        Goal("CPU beside the workers", f"features-{w}", "beside_workers_share", 0.03, "itself",
             subject="sluice-full")
        for w in _LIGHT
    ),
    Goal("p50 with busy_poll", "busy-poll-1", "p50", 0.45, subject="sluice-busy"),
    _ours("scale-connect-64", "sluice-backends-1000", "sluice", 1.10, "1,000 backends"),
    _ours("scale-connect-64", "sluice-listeners-100", "sluice", 1.10, "100 listeners"),
    Goal("check of 10,000 backends, s", "start", "check_seconds", 1.0, "itself"),
    Goal("start with 10,000 backends, s", "start", "start_seconds", 1.0, "itself"),
    Goal("RSS after a burst / before", "burst", "rss_ratio", 1.10, "itself"),
]

# Wanted, and not measured by this benchmark yet.
NOT_MEASURED = [
    "reload with 10,000 backends: under 1 s",
    "100,000 idle sessions (where descriptors allow)",
]


@dataclass(frozen=True)
class Verdict:
    goal: Goal
    measured: Ratio | None
    is_disturbed: bool

    @property
    def word(self) -> str:
        if self.measured is None:
            return "not measured"
        value = self.measured.median
        is_reached = value >= self.goal.bound if self.goal.at_least else value <= self.goal.bound
        word = "reached" if is_reached else "NOT reached"
        return f"{word} (disturbed)" if self.is_disturbed else word


def judge(results: Results, workloads: list[Workload], peers: list[str]) -> list[Verdict]:
    names = {workload.name for workload in workloads}
    return [
        Verdict(
            goal,
            _measured(results, goal, peers),
            results.is_mostly_disturbed(goal.workload, goal.subject),
        )
        for goal in GOALS
        if goal.workload in names
    ]


def _measured(results: Results, goal: Goal, peers: list[str]) -> Ratio | None:
    what = (results, goal.workload, goal.metric)
    special: dict[str, Callable[[], Ratio | None]] = {
        "peers": lambda: ratio_to_best(*what, goal.at_least, peers, goal.subject),
        "floor": lambda: _ratio_to_floor(results, goal),
        "itself": lambda: _itself(results, goal),
    }
    if isinstance(goal.against, str):
        return special[goal.against]()
    if goal.subject != "sluice":
        return ratio_to(*what, goal.against[0], goal.subject)
    present = [target for target in goal.against if target in peers]
    return ratio_to_best(*what, goal.at_least, present)


def _ratio_to_floor(results: Results, goal: Goal) -> Ratio | None:
    direct = ratio_to(results, goal.workload, goal.metric, "direct")
    if direct is None:
        return None
    return Ratio("twice direct", tuple(r / _FLOOR_FACTOR for r in direct.rounds))


def _itself(results: Results, goal: Goal) -> Ratio | None:
    figures = results.by_round(goal.workload, goal.subject, goal.metric)
    return Ratio("as measured", tuple(figures.values())) if figures else None
