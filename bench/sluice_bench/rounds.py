"""In which order it is measured, and what is measured again."""

import sys
from dataclasses import dataclass, replace

from sluice_bench import real_programs
from sluice_bench.measure import is_disturbed, measure
from sluice_bench.programs import Failure
from sluice_bench.results import Results
from sluice_bench.setup import Settings
from sluice_bench.targets import TARGETS, Target
from sluice_bench.variants import VARIANTS
from sluice_bench.workload import Workload
from sluice_bench.workloads import CAPACITY_WORKLOAD

# Rounds of the workloads whose figures hardly vary, or take long.
_ROUNDS_MAX = {"idle": 1, "syscalls": 1, "burst": 1, "skew": 1, "start": 3}


def show_progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def alternating(targets: list[Target], round_number: int) -> list[Target]:
    """Every round begins with another one, and every other round runs backwards."""
    start = round_number % len(targets)
    turned = targets[start:] + targets[:start]
    return turned if round_number % 2 == 0 else turned[::-1]


@dataclass
class Rounds:
    settings: Settings
    targets: list[Target]  # no proxy, Sluice and its peers, as far as they are wanted
    workloads: list[Workload]
    attempts_max: int
    results: Results

    def run(self, rounds: int) -> None:
        for round_number in range(rounds):
            for workload in self.workloads:
                if round_number >= _ROUNDS_MAX.get(workload.kind, sys.maxsize):
                    continue
                self._run_one(workload, round_number, rounds)
        show_progress("")

    def _run_one(self, workload: Workload, round_number: int, rounds: int) -> None:
        targets = self._targets_of(workload)
        if not targets:
            return
        rate = self._rate_of(workload)
        for target in alternating(targets, round_number):
            show_progress(f"round {round_number + 1}/{rounds} {workload.name} {target.name}")
            outcome = self._measure_until_undisturbed(target, workload, rate)
            where = {"workload": workload.name, "target": target.name, "round": round_number}
            self.results.samples.append({**where, **outcome})

    def _targets_of(self, workload: Workload) -> list[Target]:
        if workload.kind == "program":
            if why := real_programs.missing(workload.backend):
                self.results.note(f"{workload.name} is left out: {why}")
                return []
        if not workload.targets:
            # PostgreSQL without a proxy: a process each connection, gone before it is counted.
            needs_proxy = workload.kind in ("idle", "syscalls") or workload.backend == "postgres"
            return [t for t in self.targets if t.prepare or not needs_proxy]
        wanted = {target.name for target in self.targets}
        ours = [*TARGETS, *VARIANTS]
        chosen = [target for target in ours if target.name in workload.targets]
        # Variants are Sluice: they are measured where it is. Peers only when they are wanted.
        chosen = [
            target
            for target in chosen
            if target.name in wanted or (target in VARIANTS and "sluice" in wanted)
        ]
        for target in chosen:
            if why := target.missing():
                self.results.note(f"{target.name} is left out: {why}")
        return [target for target in chosen if not target.missing()]

    def _rate_of(self, workload: Workload) -> int | None:
        if workload.capacity_share is None:
            return None
        capacity = self.results.about.get("open loop capacity")
        if capacity is None:
            capacity = self._find_capacity()
            self.results.about["open loop capacity"] = capacity
        return max(1, int(capacity * workload.capacity_share))

    def _find_capacity(self) -> float:
        """Requests per second that the slowest of the targets does in a closed loop."""
        rates = []
        for target in self.targets:
            measured = self.results.by_round(CAPACITY_WORKLOAD, target.name, "rate")
            rate = measured.get(0) or self._measure_capacity(target)
            rates += [rate] if rate else []
        if not rates:
            raise Failure("no target does any ping-pong, so there is no capacity to take part of")
        return min(rates)

    def _measure_capacity(self, target: Target) -> float | None:
        show_progress(f"capacity {target.name}")
        like = next(workload for workload in self.workloads if workload.capacity_share)
        try:
            closed = replace(like, name=CAPACITY_WORKLOAD, capacity_share=None)
            return measure(self.settings, target, closed)["rate"]
        except Failure:
            return None

    def _measure_until_undisturbed(
        self, target: Target, workload: Workload, rate: int | None
    ) -> dict:
        best: dict = {}
        for attempt in range(1, self.attempts_max + 1):
            try:
                figures = measure(self.settings, target, workload, rate)
            except Failure as problem:
                return best or {"failed": str(problem)}
            disturbed = is_disturbed(figures)
            noise = figures.get("foreign_share", 0) + figures.get("waited_share", 0)
            if not best or noise < best["noise"]:
                best = {"disturbed": disturbed, "noise": noise, "figures": figures}
            best["attempts"] = attempt
            if not disturbed:
                break
        return best
