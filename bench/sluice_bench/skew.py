"""How evenly sessions are spread over workers, seen from outside: what each one's epoll watches."""

import os
from pathlib import Path

from sluice_bench.programs import Failure
from sluice_bench.setup import Bench


def measure_skew(bench: Bench) -> dict:
    pid = bench.proxy_pids[0]
    before = _watched_sockets(pid)
    with bench.clients("idle", bench.workload.connections) as clients:
        clients.wait_until_ready()
        after = _watched_sockets(pid)
    # A session is two sockets. A worker is an epoll that watches more than it did.
    counts = sorted((after[epoll] - before.get(epoll, 0)) // 2 for epoll in after)[-bench.workers :]
    if sum(counts) != bench.workload.connections:
        raise Failure(f"{bench.workload.connections} sessions, and seen are {counts}")
    fair_share = bench.workload.connections / bench.workers
    return {
        "sessions": counts,
        "sessions_min": counts[0],
        "sessions_max": counts[-1],
        "skew": counts[-1] / fair_share,
    }


def _watched_sockets(pid: int) -> dict[int, int]:
    """By epoll descriptor, without those that hold only other things than sockets."""
    kinds = {int(file.name): _kind(file) for file in Path(f"/proc/{pid}/fd").iterdir()}
    sockets = {fd for fd, kind in kinds.items() if kind.startswith("socket:")}
    return {
        fd: len(sockets & _watched(pid, fd))
        for fd, kind in kinds.items()
        if kind == "anon_inode:[eventpoll]"
    }


def _kind(file: Path) -> str:
    try:
        return os.readlink(file)
    except FileNotFoundError:
        return ""


def _watched(pid: int, epoll: int) -> set[int]:
    lines = Path(f"/proc/{pid}/fdinfo/{epoll}").read_text().splitlines()
    return {int(line.split()[1]) for line in lines if line.startswith("tfd:")}
