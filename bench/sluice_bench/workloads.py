"""The work that is measured, and the words for its figures."""

from sluice_bench.workload import Beside, Metric, Tier, Workload

CAPACITY_WORKLOAD = "ping-pong-64"

_GB = 1e9
_RATE = Metric("rate", "per s", 1, 0, more_is_better=True)
_RATE_K = Metric("rate", "k/s", 1e-3, 1, more_is_better=True)
_CPU = Metric("cpu", "proxy us", 1e6, 2)
_P50 = Metric("p50", "p50 us", 1e6, 0)
_P99 = Metric("p99", "p99 us", 1e6, 0)
_P999 = Metric("p999", "p99.9 us", 1e6, 0)
_BULK = (
    Metric("rate", "GB/s", 1 / _GB, 2, more_is_better=True),
    Metric("cpu", "proxy ms/GB", _GB * 1e3, 0),
    Metric("total_cpu", "all CPU ms/GB", _GB * 1e3, 0),
)
_PING_PONG = (_RATE_K, _CPU, _P50, _P99)
_CONNECT = (_RATE, Metric("cpu", "proxy us", 1e6, 1), _P50, _P99)
_OPEN_LOOP = (
    Metric("rate", "achieved k/s", 1e-3, 2, more_is_better=True),
    _P50,
    _P99,
    _P999,
    _CPU,
)
_MIX = (_RATE_K, _P50, _P99, Metric("bulk_rate", "bulk GB/s", 1 / _GB, 2, more_is_better=True))
_SLOW_READERS = (
    *_PING_PONG,
    Metric("rss_per_slow_reader", "RSS bytes per slow reader", 1, 0),
)
_IDLE = (
    Metric("rss_per_session", "RSS bytes per session", 1, 0),
    Metric("kernel_per_session", "kernel bytes per session: slab and TCP pages, 4 sockets", 1, 0),
)
_BURST = (
    Metric("rss_before", "RSS before, MiB", 1 / 2**20, 1),
    Metric("rss_during", "during, MiB", 1 / 2**20, 1),
    Metric("rss_after", "3 s after, MiB", 1 / 2**20, 1),
    Metric("rss_ratio", "after / before", 1, 3),
)
_SKEW = (
    Metric("sessions_min", "least of a worker", 1, 0, more_is_better=True),
    Metric("sessions_max", "most of a worker", 1, 0),
    Metric("skew", "most / fair share", 1, 2),
)
_START = (
    Metric("check_seconds", "check, ms", 1e3, 0),
    Metric("start_seconds", "start until ready, ms", 1e3, 0),
)
_PROGRAM = (Metric("rate", "requests per s", 1, 0, more_is_better=True), _CPU)

_DIRECTIONS = {
    "down": ("source", "receive", "backend to client"),
    "up": ("sink", "send", "client to backend"),
    "both": ("both", "both", "both directions at once"),
}


def _plural(count: int) -> str:
    return f"{count} connection{'s' if count > 1 else ''}"


def _bulk(connections: int, direction: str, tier: Tier) -> Workload:
    backend, client, words = _DIRECTIONS[direction]
    title = f"bulk, {_plural(connections)}, {words}"
    name = f"bulk-{connections}-{direction}"
    return Workload(name, title, "timed", backend, client, connections, 1, _BULK, tier)


def _ping_pong(connections: int, tier: Tier, size: int = 64) -> Workload:
    words, suffix = ("64 B", "") if size == 64 else (f"{size // 1024} KiB", f"-{size // 1024}k")
    title = f"{words} request and reply, {_plural(connections)}"
    name = f"ping-pong-{connections}{suffix}"
    return Workload(
        name, title, "timed", "reply", "ping_pong", connections, size, _PING_PONG, tier
    )


def _connect(connections: int, tier: Tier) -> Workload:
    title = f"connect, 64 B request and reply, close; {connections} at a time"
    name = f"connect-{connections}"
    return Workload(
        name, title, "timed", "reply", "reconnect", connections, 64, _CONNECT, tier
    )


def _latency(percent: int, tier: Tier) -> Workload:
    title = f"open loop at {percent} % of the capacity, 64 B, 64 connections"
    name = f"latency-{percent}"
    return Workload(
        name,
        title,
        "timed",
        "reply",
        "ping_pong",
        64,
        64,
        _OPEN_LOOP,
        tier,
        capacity_share=percent / 100,
    )


def _beside(name: str, title: str, metrics: tuple[Metric, ...], tier: Tier, beside: Beside):
    return Workload(
        name, title, "timed", "mixed", "ping_pong", 64, 64, metrics, tier, beside=beside
    )


def _ours(name: str, title: str, like: Workload, targets: tuple[str, ...]) -> Workload:
    """Sluice against itself; the first of `targets` is what the others are compared with."""
    return Workload(
        name,
        title,
        like.kind,
        like.backend,
        like.client,
        like.connections,
        like.bytes,
        like.metrics,
        targets=targets,
        reference=targets[0],
    )


def _skew(workers: int, sessions: int) -> Workload:
    return Workload(
        f"skew-{workers}-{sessions}",
        f"{sessions} idle sessions on {workers} workers",
        "skew",
        "reply",
        "idle",
        sessions,
        64,
        _SKEW,
        Tier.FULL,
        targets=(f"sluice-{workers}-workers",),
    )


def _program(name: str, title: str, backend: str, client: str) -> Workload:
    return Workload(name, title, "program", backend, client, 50, 1, _PROGRAM, Tier.FULL)


_BARE_AND_FULL = ("sluice-bare", "sluice-full")
_BUSY = ("sluice", "sluice-busy", "haproxy", "haproxy-splice", "nginx", "nginx-64k")
_SCALES = ("sluice", "sluice-backends-1000", "sluice-listeners-100")


def _timed() -> list[Workload]:
    quick, default, full = Tier.QUICK, Tier.DEFAULT, Tier.FULL
    return [
        _bulk(1, "down", quick),
        _bulk(1, "up", default),
        _bulk(1, "both", default),
        _bulk(16, "down", default),
        _bulk(16, "up", quick),
        _bulk(16, "both", full),
        _ping_pong(1, default),
        _ping_pong(64, quick),
        _ping_pong(512, quick),
        _ping_pong(4096, full),
        _ping_pong(1, full, 16384),
        _ping_pong(64, quick, 16384),
        _ping_pong(512, full, 16384),
        _connect(1, full),
        _connect(64, quick),
        _connect(512, full),
        _latency(25, full),
        _latency(50, default),
        _latency(75, full),
        _beside(
            "mix",
            "64 B ping-pong on 64 connections beside one bulk connection",
            _MIX,
            default,
            Beside("demand", 1),
        ),
        _beside(
            "slow-readers",
            "64 B ping-pong on 64 connections beside 200 that read nothing",
            _SLOW_READERS,
            full,
            Beside("stall", 200),
        ),
    ]


def _against_itself() -> list[Workload]:
    connect, ping_pong = _connect(64, Tier.DEFAULT), _ping_pong(64, Tier.DEFAULT)
    quiet = _ping_pong(1, Tier.DEFAULT)
    return [
        _ours("features-connect-64", f"with everything on: {connect.title}", connect,
              _BARE_AND_FULL),
        _ours("features-ping-pong-64", f"with everything on: {ping_pong.title}", ping_pong,
              _BARE_AND_FULL),
        _ours("busy-poll-1", f"with busy_poll: {quiet.title}", quiet, _BUSY),
        _ours("scale-connect-64", f"1,000 backends, 100 listeners: {connect.title}", connect,
              _SCALES),
    ]  # fmt: skip


def _memory(idle_sessions: int) -> list[Workload]:
    return [
        Workload(
            "idle",
            f"{idle_sessions} idle sessions, after one request and reply each",
            "idle",
            "reply",
            "idle",
            idle_sessions,
            64,
            _IDLE,
            Tier.QUICK,
        ),
        Workload(
            "burst",
            "memory before and after 5000 bulk sessions at a time, 4 MiB each",
            "burst",
            "source",
            "fetch",
            5000,
            4 * 2**20,
            _BURST,
            targets=("sluice", "haproxy", "nginx"),
        ),
    ]


def _programs() -> list[Workload]:
    return [
        _program("redis", "redis-benchmark GET and SET, 50 connections", "redis", "redis-1"),
        _program("redis-pipeline", "the same, 16 in a pipeline", "redis", "redis-16"),
        _program("wrk", "wrk against nginx, 50 connections kept alive", "nginx", "wrk"),
        _program("wrk-close", "the same with Connection: close", "nginx", "wrk-close"),
        _program("pgbench", "pgbench -S, a connection each transaction", "postgres", "pgbench"),
    ]


def all_workloads(idle_sessions: int, syscall_units: int) -> list[Workload]:
    syscalls = Workload(
        "syscalls",
        f"system calls of a short connection (mean of {syscall_units}, 64 at a time)",
        "syscalls",
        "reply",
        "reconnect",
        64,
        64,
        (Metric("syscalls", "calls per connection", 1, 1),),
        Tier.QUICK,
    )
    start = Workload(
        "start",
        "a file with 10,000 backends: check, and start",
        "start",
        "reply",
        "reconnect",
        10_000,
        64,
        _START,
        targets=("sluice",),
    )
    skews = [_skew(workers, count) for workers in (2, 4) for count in (16, 100, 1000)]
    return [
        *_timed(),
        *_against_itself(),
        *_memory(idle_sessions),
        syscalls,
        start,
        *skews,
        *_programs(),
    ]
