"""What a workload and a figure of it are."""

from dataclasses import dataclass
from enum import IntEnum


class Tier(IntEnum):
    """The smallest set of workloads that one belongs to."""

    QUICK = 0
    DEFAULT = 1
    FULL = 2


@dataclass(frozen=True)
class Metric:
    """A figure of a measurement. `scale` brings it from SI units to the printed ones."""

    key: str
    title: str
    scale: float
    digits: int
    more_is_better: bool = False


@dataclass(frozen=True)
class Beside:
    """More clients of the same measurement, in a process of their own."""

    client: str
    connections: int


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    kind: str  # timed, idle, syscalls, burst, skew, program, start
    backend: str  # mode of bench-load, or a real program
    client: str
    connections: int
    bytes: int
    metrics: tuple[Metric, ...]
    tier: Tier = Tier.DEFAULT
    beside: Beside | None = None
    # Of the open loop: the part of the capacity that is asked for.
    capacity_share: float | None = None
    # Who is measured: no proxy, Sluice and its peers when empty.
    targets: tuple[str, ...] = ()
    # The target the others are compared with; the best peer when empty.
    reference: str = ""

    @property
    def counts_bytes(self) -> bool:
        return self.client in ("receive", "send", "both")
