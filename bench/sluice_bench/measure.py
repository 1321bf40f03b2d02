"""One measurement: a target, a workload, one window of time."""

import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sluice_bench import machine
from sluice_bench.programs import Failure, Load, Proxy, Strace
from sluice_bench.targets import Place, Target
from sluice_bench.workloads import Workload

# More of a core than this taken by somebody else, and the measurement is made again.
FOREIGN_SHARE_MAX = 0.05
# What a proxy does once, it has done by then: buffers, pools, learning that a backend is healthy.
_WARM_UP_UNITS = 500
_RSS_SETTLE_SECONDS = 2.0


@dataclass(frozen=True)
class Settings:
    build: Path
    seconds: float
    warm_up_seconds: float
    syscall_units: int

    @property
    def sluice(self) -> Path:
        return self.build / "src" / "sluice"

    @property
    def load(self) -> Path:
        return self.build / "bench" / "bench-load"


class Bench:
    """Backend and proxy of one measurement, on their cores."""

    def __init__(self, settings: Settings, target: Target, workload: Workload) -> None:
        self.settings = settings
        self.target = target
        self.workload = workload
        self.proxy_core, self.load_core = machine.cores()
        # Where the clients connect: to the backend until there is a proxy.
        self.port, self._proxy_port = machine.pick_ports(machine.enter_new_namespace())
        self._stack = ExitStack()

    def __enter__(self) -> "Bench":
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        workload = self.workload
        self.directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        # nginx's worker is another user.
        self.directory.chmod(0o755)
        # Without a proxy the backend is what is measured, in the proxy's place.
        core = self.load_core if self.target.prepare else self.proxy_core
        options = {"port": self.port, "bytes": workload.bytes}
        self.backend = self._stack.enter_context(
            self._load("backend", workload.backend, options, core)
        )
        self.backend.wait_until_ready()
        self.proxy_pids = [self.backend.process.pid]
        self.load_pids: list[int] = []
        if self.target.prepare:
            self._start_proxy()

    def _start_proxy(self) -> None:
        place = Place(self.directory, self._proxy_port, self.port, self.settings.sluice)
        command = self.target.prepare(place)
        proxy = self._stack.enter_context(Proxy(command, self.proxy_core, self._errors("proxy")))
        proxy.wait_until_ready(place.port, self.target.processes)
        self.proxy_pids = machine.process_tree(proxy.process.pid)
        self.port = place.port
        self.load_pids = [self.backend.process.pid]

    def warm_up(self) -> None:
        with self.clients("reconnect", 64, units=_WARM_UP_UNITS) as clients:
            clients.process.wait()

    def clients(self, mode: str, connections: int, **options: int) -> Load:
        """Inside a `with` block. `options` are bench-load's."""
        sizes = {"port": self.port, "connections": connections, "bytes": self.workload.bytes}
        return self._load("client", mode, {**sizes, **options}, self.load_core)

    def _load(self, role: str, mode: str, options: dict[str, int], core: int) -> Load:
        return Load.start(self.settings.load, role, mode, options, core, self._errors(role))

    def _errors(self, name: str) -> Path:
        return self.directory / f"{name}.stderr"


def measure(settings: Settings, target: Target, workload: Workload) -> dict:
    """Figures in SI units: seconds per unit, units per second."""
    how = {"timed": _measure_timed, "idle": _measure_idle, "syscalls": _measure_syscalls}
    with Bench(settings, target, workload) as bench:
        return how[workload.kind](bench)


def _measure_timed(bench: Bench) -> dict:
    workload = bench.workload
    with bench.clients(workload.client, workload.connections) as clients:
        clients.wait_until_ready()
        load_pids = bench.load_pids + [clients.process.pid]
        watch = machine.Watch(bench.proxy_pids, load_pids, bench.proxy_core, bench.load_core)
        time.sleep(bench.settings.warm_up_seconds)
        clients.mark()
        bench.backend.mark()
        begin = watch.look()
        time.sleep(bench.settings.seconds)
        end = watch.look()
        reports = {"clients": clients.report(), "backend": bench.backend.report()}
    return _figures(workload, reports, watch.usage(begin, end))


def _figures(workload: Workload, reports: dict, usage: machine.Usage) -> dict:
    # Bytes count where they arrive.
    counting = reports["backend" if workload.client == "send" else "clients"]
    rate = counting["bytes" if workload.counts_bytes else "units"] / counting["seconds"]
    if rate == 0 or usage.proxy.used == 0:
        raise Failure(f"nothing was moved, or not by the proxy, in {usage.seconds:.1f} s")
    total = usage.proxy.used + usage.load.used + usage.softirq.used
    # Rates over nearly the same time, so the moments of looking need not be the same to the ms.
    return {
        "rate": rate,
        "cpu": usage.proxy.used / usage.seconds / rate,
        "total_cpu": total / usage.seconds / rate,
        "p50": reports["clients"]["p50_us"] / 1e6,
        "p99": reports["clients"]["p99_us"] / 1e6,
        "proxy_share": usage.proxy.used / usage.seconds,
        "proxy_system_share": usage.proxy_system_share,
        "load_share": usage.load.used / usage.seconds,
        "client_share": reports["clients"]["cpu_share"],
        "foreign_share": usage.foreign_share,
        "stolen_share": usage.stolen_share,
        "waited_share": usage.proxy.waited / usage.seconds,
    }


def is_disturbed(figures: dict) -> bool:
    """Somebody else had a part of a core that is not small."""
    shares = ("foreign_share", "stolen_share", "waited_share")
    return any(figures.get(share, 0) > FOREIGN_SHARE_MAX for share in shares)


def _measure_idle(bench: Bench) -> dict:
    bench.warm_up()
    time.sleep(_RSS_SETTLE_SECONDS / 2)
    before = machine.resident_bytes(bench.proxy_pids)
    with bench.clients("idle", bench.workload.connections) as clients:
        clients.wait_until_ready()
        time.sleep(_RSS_SETTLE_SECONDS)
        after = machine.resident_bytes(bench.proxy_pids)
        clients.report()  # fails when a connection was closed meanwhile
    return {"rss_per_session": (after - before) / bench.workload.connections, "rss": after}


def _measure_syscalls(bench: Bench) -> dict:
    units = bench.settings.syscall_units
    bench.warm_up()
    strace = Strace(bench.proxy_pids, bench.directory)
    try:
        with bench.clients("reconnect", bench.workload.connections, units=units) as clients:
            clients.wait_until_ready()
            clients.read_line(60)
    finally:
        counts = strace.stop()
    per_unit = {name: count / units for name, count in counts.items()}
    return {"syscalls": sum(per_unit.values()), "calls": per_unit}
