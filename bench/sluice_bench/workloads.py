"""The work that is measured, and the words for its figures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A figure of a measurement. `scale` brings it from SI units to the printed ones."""

    key: str
    title: str
    scale: float
    digits: int
    more_is_better: bool = False


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    kind: str  # timed, idle, syscalls
    backend: str  # mode of bench-load
    client: str
    connections: int
    bytes: int
    metrics: tuple[Metric, ...]

    @property
    def counts_bytes(self) -> bool:
        return self.client in ("receive", "send")


_GB = 1e9
_BULK = (
    Metric("rate", "GB/s", 1 / _GB, 2, more_is_better=True),
    Metric("cpu", "proxy ms/GB", _GB * 1e3, 0),
    Metric("total_cpu", "all CPU ms/GB", _GB * 1e3, 0),
)
_LATENCY = (Metric("p50", "p50 us", 1e6, 0), Metric("p99", "p99 us", 1e6, 0))
_PING_PONG = (
    Metric("rate", "k/s", 1e-3, 1, more_is_better=True),
    Metric("cpu", "proxy us", 1e6, 2),
    *_LATENCY,
)
_CONNECT = (
    Metric("rate", "per s", 1, 0, more_is_better=True),
    Metric("cpu", "proxy us", 1e6, 1),
    *_LATENCY,
)


def _bulk(connections: int, direction: str) -> Workload:
    down = direction == "down"
    arrow = "backend to client" if down else "client to backend"
    return Workload(
        f"bulk-{connections}-{direction}",
        f"bulk, {connections} connection{'s' if connections > 1 else ''}, {arrow}",
        "timed",
        "source" if down else "sink",
        "receive" if down else "send",
        connections,
        1,
        _BULK,
    )


def _ping_pong(connections: int, size: int, title: str, suffix: str = "") -> Workload:
    plural = "s" if connections > 1 else ""
    return Workload(
        f"ping-pong-{connections}{suffix}",
        f"{title} request and reply, {connections} connection{plural}",
        "timed",
        "reply",
        "ping_pong",
        connections,
        size,
        _PING_PONG,
    )


def all_workloads(idle_sessions: int, syscall_units: int) -> list[Workload]:
    return [
        _bulk(1, "down"),
        _bulk(1, "up"),
        _bulk(16, "down"),
        _bulk(16, "up"),
        _ping_pong(1, 64, "64 B"),
        _ping_pong(64, 64, "64 B"),
        _ping_pong(512, 64, "64 B"),
        _ping_pong(64, 16384, "16 KiB", "-16k"),
        Workload(
            "connect-64",
            "connect, 64 B request and reply, close; 64 at a time",
            "timed",
            "reply",
            "reconnect",
            64,
            64,
            _CONNECT,
        ),
        Workload(
            "idle",
            f"{idle_sessions} idle sessions, after one request and reply each",
            "idle",
            "reply",
            "idle",
            idle_sessions,
            64,
            (Metric("rss_per_session", "RSS bytes per session", 1, 0),),
        ),
        Workload(
            "syscalls",
            f"system calls of a short connection (mean of {syscall_units}, 64 at a time)",
            "syscalls",
            "reply",
            "reconnect",
            64,
            64,
            (Metric("syscalls", "calls per connection", 1, 1),),
        ),
    ]
