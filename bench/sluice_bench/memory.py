"""How much memory sessions take, and whether it is given back."""

import time

from sluice_bench import machine
from sluice_bench.setup import Bench

_SETTLE_SECONDS = 2.0
_AFTER_BURST_SECONDS = 3.0
_BURST_SECONDS_MAX = 180.0


def measure_idle(bench: Bench) -> dict:
    sessions = bench.workload.connections
    bench.warm_up()
    time.sleep(_SETTLE_SECONDS / 2)
    before = machine.resident_bytes(bench.proxy_pids)
    kernel_before = machine.kernel_bytes()
    with bench.clients("idle", sessions) as clients:
        clients.wait_until_ready()
        time.sleep(_SETTLE_SECONDS)
        after = machine.resident_bytes(bench.proxy_pids)
        kernel_after = machine.kernel_bytes()
        clients.report()  # fails when a connection was closed meanwhile
    return {
        "rss_per_session": (after - before) / sessions,
        "rss": after,
        "kernel_per_session": (kernel_after - kernel_before) / sessions,
    }


def measure_burst(bench: Bench) -> dict:
    """Before is after a first few sessions: what is built once is not the burst's."""
    sessions = bench.workload.connections
    with bench.clients("fetch", 64, units=64) as clients:
        clients.wait_until_ready()
        clients.read_line(_BURST_SECONDS_MAX)
    time.sleep(_SETTLE_SECONDS / 2)
    before = machine.resident_bytes(bench.proxy_pids)
    with bench.clients("fetch", sessions, units=sessions) as clients:
        clients.wait_until_ready()
        during = machine.resident_bytes(bench.proxy_pids)
        clients.read_line(_BURST_SECONDS_MAX)
    time.sleep(_AFTER_BURST_SECONDS)
    after = machine.resident_bytes(bench.proxy_pids)
    return {
        "rss_before": before,
        "rss_during": during,
        "rss_after": after,
        "rss_ratio": after / before,
    }
