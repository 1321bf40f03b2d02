"""The machine: a network namespace for each measurement, who used how much CPU, what it is."""

import ctypes
import fcntl
import os
import platform
import socket
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

CONGESTION_CONTROL = "reno"
_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP_RUNNING = 0x41
_TICK = os.sysconf("SC_CLK_TCK")


def enter_new_namespace() -> bool:
    """Moves this process, hence what it starts from now on, into a network namespace of its own.

    One for each measurement, so that no measurement inherits another's TIME_WAIT sockets. False,
    and nothing changed, when that is not permitted.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", _IFF_UP_RUNNING)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
    Path("/proc/sys/net/ipv4/tcp_congestion_control").write_text(CONGESTION_CONTROL)
    Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("10000 65535")
    return True


def pick_ports(is_own_namespace: bool) -> tuple[int, int]:
    """For backend and proxy: below the range of outgoing ports where we may choose."""
    if is_own_namespace:
        return 7000, 8000
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def cores(workers: int = 1) -> tuple[list[int], int]:
    """The cores of the proxy, one for each worker where there are as many, and that of the load.

    The load has its own unless there is only one; so on two cores all workers share the first.
    """
    usable = sorted(os.sched_getaffinity(0))
    count = max(1, min(workers, len(usable) - 1))
    return usable[:count], usable[min(count, len(usable) - 1)]


def process_tree(pid: int) -> list[int]:
    """`pid` and its descendants: nginx works in a child."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(after_name[1]), []).append(int(entry.name))
    tree = [pid]
    for parent in tree:
        tree.extend(children.get(parent, []))
    return tree


def resident_bytes(pids: list[int]) -> int:
    """Exact: VmRSS of /proc/PID/status is a per-CPU counter that may be off by half a megabyte."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                total += int(line.split()[1]) * 1024
    return total


def kernel_bytes() -> int:
    """Of the whole machine: slab, where sockets and files are, and the pages of TCP's buffers."""
    total = 0
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("Slab:"):
            total += int(line.split()[1]) * 1024
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            total += int(line.split()[-1]) * os.sysconf("SC_PAGE_SIZE")
    return total


@dataclass
class CpuTime:
    """Seconds of CPU that some processes have used, and how long they waited for a core."""

    used: float = 0.0
    waited: float = 0.0
    by_workers: float = 0.0  # of what was used, the part of Sluice's threads called so

    def __sub__(self, other: "CpuTime") -> "CpuTime":
        return CpuTime(
            self.used - other.used,
            self.waited - other.waited,
            self.by_workers - other.by_workers,
        )


def cpu_time(pids: list[int]) -> CpuTime:
    """Of all threads, user and system: in nanoseconds from schedstat where the kernel has it.

    The alternative, utime + stime of /proc/PID/stat, counts in hundredths of a second.
    """
    total = CpuTime()
    for pid in pids:
        try:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                used, waited, _ = (thread / "schedstat").read_text().split()
                total.used += int(used) / 1e9
                total.waited += int(waited) / 1e9
                if (thread / "comm").read_text().startswith("worker "):
                    total.by_workers += int(used) / 1e9
        except FileNotFoundError:
            total.used += sum(user_and_system([pid]))
    return total


def user_and_system(pids: list[int]) -> tuple[float, float]:
    user = system = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        user += int(fields[11]) / _TICK
        system += int(fields[12]) / _TICK
    return user, system


def _softirq_threads() -> list[int]:
    """Kernel threads that finish the loopback's work when a core has too much of it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text().startswith("ksoftirqd/"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def _core_times() -> dict[int, tuple[float, float]]:
    """Busy and stolen seconds of each core since boot."""
    times = {}
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("cpu") and line[3].isdigit():
            name, *ticks = line.split()
            user, nice, system, _, _, irq, softirq, steal = map(int, ticks[:8])
            busy = (user + nice + system + irq + softirq + steal) / _TICK
            times[int(name[3:])] = (busy, steal / _TICK)
    return times


@dataclass
class Usage:
    """What happened to the CPUs between two looks."""

    seconds: float
    proxy: CpuTime
    load: CpuTime
    softirq: CpuTime
    proxy_system_share: float  # of the proxy's CPU, the kernel's part
    foreign_share: float  # of the busier-with-others core, what none of ours used
    stolen_share: float


@dataclass
class Watch:
    """Looks at our processes and at the cores; `proxy` and `load` are process ids."""

    proxy: list[int]
    load: list[int]
    proxy_cores: list[int]
    load_core: int
    _softirq: list[int] = field(default_factory=_softirq_threads)

    def look(self) -> dict:
        return {
            "time": time.monotonic(),
            "proxy": cpu_time(self.proxy),
            "load": cpu_time(self.load),
            "softirq": cpu_time(self._softirq),
            "modes": user_and_system(self.proxy),
            "cores": _core_times(),
        }

    def usage(self, begin: dict, end: dict) -> Usage:
        proxy = end["proxy"] - begin["proxy"]
        load = end["load"] - begin["load"]
        softirq = end["softirq"] - begin["softirq"]
        seconds = end["time"] - begin["time"]
        user, system = (e - b for b, e in zip(begin["modes"], end["modes"]))
        busy = {core: end["cores"][core][0] - begin["cores"][core][0] for core in end["cores"]}
        stolen = sum(end["cores"][core][1] - begin["cores"][core][1] for core in end["cores"])
        on_proxy_cores = sum(busy[core] for core in self.proxy_cores)
        if self.load_core in self.proxy_cores:
            foreign = on_proxy_cores - proxy.used - load.used - softirq.used
        else:
            foreign = max(on_proxy_cores - proxy.used, busy[self.load_core] - load.used)
            foreign -= softirq.used
        return Usage(
            seconds,
            proxy,
            load,
            softirq,
            system / max(user + system, 1e-9),
            max(0.0, foreign / seconds),
            stolen / seconds,
        )


def _first_line(command: list[str], stream: str = "stdout") -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not installed"
    lines = getattr(done, stream).strip().splitlines()
    return lines[0] if lines else "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def revision(source: Path) -> str:
    return _first_line(["git", "-C", str(source), "describe", "--always", "--dirty"])


def describe(sluice: Path) -> dict:
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kib / 1024 / 1024, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "load_average": Path("/proc/loadavg").read_text().split()[0],
        "sluice": _first_line([str(sluice), "--version"]),
        "haproxy": _first_line(["haproxy", "-v"]),
        "nginx": _first_line(["nginx", "-v"], "stderr"),
    }
