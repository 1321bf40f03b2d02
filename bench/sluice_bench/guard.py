"""Whether Sluice lost ground to its peers since the recorded run, beyond what noise explains."""

from dataclasses import dataclass
from enum import Enum
from statistics import median

from sluice_bench.goals import Ratio, ratio_to_best
from sluice_bench.results import Results
from sluice_bench.table import render_table, spread
from sluice_bench.workload import Workload

# Of each kind of workload the figure that says least about the rest of the machine.
_GUARDED = {"timed": "cpu", "idle": "rss_per_session", "syscalls": "syscalls"}
# Smaller changes are no news, however little the rounds varied.
_CHANGE_MIN = 0.02


class Change(Enum):
    WORSE = "worse"
    SAME = "same"
    BETTER = "better"


@dataclass(frozen=True)
class Row:
    workload: str
    now: Ratio
    recorded: Ratio

    @property
    def noise(self) -> float:
        """The spread of this run's rounds together with that of the recorded ones."""
        rounds = (self.now.rounds, self.recorded.rounds)
        return max(sum(max(r) - min(r) for r in rounds), _CHANGE_MIN * median(rounds[1]))

    @property
    def change(self) -> Change:
        grown = self.now.median - self.recorded.median
        if abs(grown) <= self.noise:
            return Change.SAME
        return Change.WORSE if grown > 0 else Change.BETTER


@dataclass(frozen=True)
class Comparison:
    rows: list[Row]
    without_record: list[str]  # workloads

    @property
    def is_worse(self) -> bool:
        return any(row.change is Change.WORSE for row in self.rows)

    def render(self) -> str:
        lines = ["### against the recorded run: sluice / best peer, [min max] of the rounds", ""]
        table = [["workload", "figure", "now", "recorded", "noise", ""]]
        for row in self.rows:
            now, recorded = (spread(list(r.rounds), 1, 2) for r in (row.now, row.recorded))
            figure = f"{_figure_of(row.workload)} / {row.now.reference}"
            word = row.change.value
            table.append([row.workload, figure, now, recorded, f"{row.noise:.2f}", word])
        lines += [render_table(table)] if self.rows else ["Nothing to compare."]
        if self.without_record:
            names = ", ".join(self.without_record)
            lines += ["", f"The recorded run has no row, or no peer measured now, for: {names}"]
        return "\n".join(lines)


def compare(
    now: Results, recorded: Results, workloads: list[Workload], peers: list[str]
) -> Comparison:
    rows, without_record = [], []
    for workload in workloads:
        metric = _GUARDED.get(workload.kind)
        if metric not in {m.key for m in workload.metrics} or workload.targets:
            continue
        if not now.of(workload.name, "sluice"):
            continue
        # The same peers in both: the best of more would be a better one.
        common = [p for p in peers if all(r.of(workload.name, p) for r in (now, recorded))]
        ratios = [ratio_to_best(r, workload.name, metric, False, common) for r in (now, recorded)]
        if all(ratios):
            rows.append(Row(workload.name, *ratios))
        else:
            without_record.append(workload.name)
    return Comparison(rows, without_record)


def _figure_of(workload: str) -> str:
    return {"idle": "RSS", "syscalls": "calls"}.get(workload, "CPU")
