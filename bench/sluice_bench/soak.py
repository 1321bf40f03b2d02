"""Half an hour of mixed load through one Sluice: does it grow?

In cycles: all kinds of clients at once for a while, then none, then a look at what the proxy still
holds: resident memory, descriptors, and the kernel's memory for sockets. The first cycles warm it
up; the last ones must look like those that came after.
"""

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from sluice_bench import machine
from sluice_bench.programs import Failure
from sluice_bench.setup import Bench, Settings
from sluice_bench.targets import Target
from sluice_bench.workload import Workload

_CYCLE_SECONDS = 50.0
_REST_SECONDS = 5.0
# Cycles that warm it up, and how many are taken together at either end of what follows.
_WARM_UP_CYCLES = 3
_COMPARED_CYCLES = 5
_CYCLES_MIN = _WARM_UP_CYCLES + 2 * _COMPARED_CYCLES
# Growth that is noise: a share of what there was, and a few pages.
_GROWTH_MAX = 0.02
_GROWTH_BYTES = 128 * 1024

# Client of bench-load and its connections.
_MIX = (("ping_pong", 64), ("reconnect", 64), ("demand", 8), ("stall", 50), ("idle", 500))


@dataclass(frozen=True)
class Look:
    seconds: float  # since the begin
    units: int  # round trips and connections of the cycle
    bytes: int  # of bulk
    resident: int
    descriptors: int
    kernel: int


@dataclass(frozen=True)
class Soak:
    looks: list[Look]

    def _ends(self, what: str) -> tuple[float, float]:
        settled = [getattr(look, what) for look in self.looks[_WARM_UP_CYCLES:]]
        return median(settled[:_COMPARED_CYCLES]), median(settled[-_COMPARED_CYCLES:])

    @property
    def has_grown(self) -> bool:
        before, after = self._ends("resident")
        files_before, files_after = self._ends("descriptors")
        return after > before * (1 + _GROWTH_MAX) + _GROWTH_BYTES or files_after > files_before

    def render(self) -> str:
        lines = ["### soak: RSS, descriptors and kernel memory between cycles of mixed load", ""]
        lines += ["| minute | RSS KiB | descriptors | kernel MiB | units | bulk GB |"]
        lines += ["| ---: | ---: | ---: | ---: | ---: | ---: |"]
        lines += [
            f"| {look.seconds / 60:.1f} | {look.resident / 1024:,.0f} | {look.descriptors} "
            f"| {look.kernel / 2**20:.0f} | {look.units:,} | {look.bytes / 1e9:.1f} |"
            for look in self.looks
        ]
        before, after = self._ends("resident")
        files_before, files_after = self._ends("descriptors")
        word = "grew" if self.has_grown else "did not grow"
        lines += [
            "",
            f"It {word}: RSS {before / 1024:,.0f} -> {after / 1024:,.0f} KiB, descriptors "
            f"{files_before:.0f} -> {files_after:.0f} (medians of {_COMPARED_CYCLES} cycles after "
            f"the first {_WARM_UP_CYCLES}, and of the last {_COMPARED_CYCLES}).",
        ]
        return "\n".join(lines)


def run(settings: Settings, target: Target, minutes: float, say) -> Soak:
    workload = Workload("soak", "mixed load", "timed", "mixed", "ping_pong", 64, 64, ())
    cycle_seconds = _CYCLE_SECONDS + _REST_SECONDS
    cycles = int(minutes * 60 / cycle_seconds)
    if cycles < _CYCLES_MIN:
        least = _CYCLES_MIN * cycle_seconds / 60
        raise Failure(f"a soak of less than {least:.0f} minutes shows nothing")
    looks: list[Look] = []
    began_at = time.monotonic()
    with Bench(settings, target, workload) as bench:
        for number in range(cycles):
            say(f"soak: cycle {number + 1} of {cycles}")
            units, moved = _load(bench)
            time.sleep(_REST_SECONDS)
            looks.append(_look(bench, time.monotonic() - began_at, units, moved))
    return Soak(looks)


def _load(bench: Bench) -> tuple[int, int]:
    with ExitStack() as stack:
        loads = []
        for client, connections in _MIX:
            load = stack.enter_context(bench.clients(client, connections, f"soak-{client}"))
            load.wait_until_ready()
            loads.append(load)
        for load in loads:
            load.mark()
        time.sleep(_CYCLE_SECONDS)
        # A client on which a connection broke has ended, and this fails.
        reports = [load.report() for load in loads]
    return sum(report["units"] for report in reports), sum(r["bytes"] for r in reports)


def _look(bench: Bench, seconds: float, units: int, moved: int) -> Look:
    descriptors = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in bench.proxy_pids)
    return Look(
        seconds,
        units,
        moved,
        machine.resident_bytes(bench.proxy_pids),
        descriptors,
        machine.kernel_bytes(),
    )
