"""Backend and proxy of one measurement, each on its cores, in a network namespace of its own."""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sluice_bench import machine, real_programs
from sluice_bench.programs import Load, Program, Proxy
from sluice_bench.scraper import Scraper
from sluice_bench.targets import Place, Target, admin_socket
from sluice_bench.workload import Workload

# What a proxy does once, it has done by then: buffers, pools, learning that a backend is healthy.
_WARM_UP_UNITS = 500


@dataclass(frozen=True)
class Settings:
    build: Path
    seconds: float
    warm_up_seconds: float
    syscall_units: int
    workers: int = 1

    @property
    def sluice(self) -> Path:
        return self.build / "src" / "sluice"

    @property
    def load(self) -> Path:
        return self.build / "bench" / "bench-load"


class Bench:
    """Inside a `with` block everything runs."""

    def __init__(
        self, settings: Settings, target: Target, workload: Workload, rate: int | None = None
    ) -> None:
        """`rate` is what an open loop asks for, in requests per second."""
        self.settings = settings
        self.target = target
        self.workload = workload
        self.rate = rate
        self.workers = target.workers or settings.workers
        self.proxy_cores, self.load_core = machine.cores(self.workers)
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
        self.directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        # nginx's worker is another user.
        self.directory.chmod(0o755)
        # Without a proxy the backend is what is measured, in the proxy's place.
        cores = [self.load_core] if self.target.prepare else self.proxy_cores
        self.backend = self._stack.enter_context(self._make_backend(cores))
        self.proxy_pids = machine.process_tree(self.backend.process.pid)
        self.load_pids: list[int] = []
        if self.target.prepare:
            self._start_proxy()

    def _make_backend(self, cores: list[int]) -> Program:
        workload = self.workload
        if workload.kind == "program":
            return real_programs.start_backend(workload.backend, self.directory, self.port, cores)
        options = {"port": self.port, "bytes": workload.bytes}
        if self.target.backend_everywhere:
            options["every-address"] = 1
        backend = self._load("backend", workload.backend, options, cores)
        try:
            backend.wait_until_ready()
        except BaseException:
            backend.__exit__()
            raise
        return backend

    def _start_proxy(self) -> None:
        place = Place(
            self.directory, self._proxy_port, self.port, self.settings.sluice, self.workers
        )
        command = self.target.prepare(place)
        proxy = self._stack.enter_context(
            Proxy(command, self.proxy_cores, self.errors("proxy"))
        )
        proxy.wait_until_ready(place.port, self.target.processes(self.workers))
        # Real programs have processes that come and go: nobody counts what they use.
        if self.workload.kind != "program":
            self.load_pids = [self.backend.process.pid]
        self.proxy_pids = machine.process_tree(proxy.process.pid)
        self.port = place.port
        if self.target.is_scraped:
            self._stack.enter_context(Scraper(admin_socket(self.directory)))

    def warm_up(self) -> None:
        with self.clients("reconnect", 64, units=_WARM_UP_UNITS) as clients:
            clients.wait_until_ready()
            clients.read_line()

    def clients(self, mode: str, connections: int, role: str = "client", **options: int) -> Load:
        """Inside a `with` block. `options` are bench-load's; `role` names the file of errors."""
        sizes = {"port": self.port, "connections": connections, "bytes": self.workload.bytes}
        return self._load("client", mode, {**sizes, **options}, [self.load_core], role)

    def watch(self, *load_pids: int) -> machine.Watch:
        return machine.Watch(
            self.proxy_pids, [*self.load_pids, *load_pids], self.proxy_cores, self.load_core
        )

    def errors(self, name: str) -> Path:
        return self.directory / f"{name}.stderr"

    def _load(
        self, role: str, mode: str, options: dict[str, int], cores: list[int], name: str = ""
    ) -> Load:
        errors = self.errors(name or role)
        return Load.start(self.settings.load, role, mode, options, cores, errors)
