"""One measurement: a target, a workload, one window of time."""

import time
from contextlib import ExitStack

from sluice_bench import machine, memory, real_programs, skew, start
from sluice_bench.programs import Failure, Load, Strace
from sluice_bench.setup import Bench, Settings
from sluice_bench.targets import Target
from sluice_bench.workload import Workload

# More of a core than this taken by somebody else, and the measurement is made again.
FOREIGN_SHARE_MAX = 0.05
# An open loop that achieved less of its rate, or had less of its core left, kept no schedule.
ACHIEVED_SHARE_MIN = 0.99
LOAD_SHARE_MAX = 0.95
# Buffers on the way to a slow reader are full when nothing moved for so long.
_FILL_QUIET_SECONDS = 0.3
_FILL_SECONDS_MAX = 20.0


def measure(
    settings: Settings, target: Target, workload: Workload, rate: int | None = None
) -> dict:
    """Figures in SI units: seconds per unit, units per second."""
    how = {
        "timed": _measure_timed,
        "idle": memory.measure_idle,
        "burst": memory.measure_burst,
        "syscalls": _measure_syscalls,
        "skew": skew.measure_skew,
        "program": _measure_program,
        "start": start.measure_start,
    }
    with Bench(settings, target, workload, rate) as bench:
        return how[workload.kind](bench)


def _measure_timed(bench: Bench) -> dict:
    workload = bench.workload
    options = {"rate": bench.rate} if bench.rate else {}
    with ExitStack() as stack:
        beside, figures = _start_beside(bench, stack)
        clients = stack.enter_context(
            bench.clients(workload.client, workload.connections, **options)
        )
        clients.wait_until_ready()
        loads = [clients, *beside]
        watch = bench.watch(*(load.process.pid for load in loads))
        time.sleep(bench.settings.warm_up_seconds)
        for load in [*loads, bench.backend]:
            load.mark()
        begin = watch.look()
        time.sleep(bench.settings.seconds)
        end = watch.look()
        reports = {"clients": clients.report(), "backend": bench.backend.report()}
        if beside:
            report = beside[0].report()
            figures["bulk_rate"] = report["bytes"] / report["seconds"]
    figures |= _figures(workload, reports, watch.usage(begin, end))
    return figures | (_schedule_figures(bench.rate, figures) if bench.rate else {})


def _start_beside(bench: Bench, stack: ExitStack) -> tuple[list[Load], dict]:
    beside = bench.workload.beside
    if beside is None:
        return [], {}
    before = machine.resident_bytes(bench.proxy_pids)
    load = stack.enter_context(bench.clients(beside.client, beside.connections, "beside"))
    load.wait_until_ready()
    if beside.client != "stall":
        return [load], {}
    _wait_until_buffers_are_full(bench.backend)
    growth = machine.resident_bytes(bench.proxy_pids) - before
    return [load], {"rss_per_slow_reader": growth / beside.connections}


def _wait_until_buffers_are_full(backend: Load) -> None:
    give_up_at = time.monotonic() + _FILL_SECONDS_MAX
    while time.monotonic() < give_up_at:
        backend.mark()
        time.sleep(_FILL_QUIET_SECONDS)
        if backend.report()["bytes"] == 0:
            return
    raise Failure(f"connections that read nothing still took bytes after {_FILL_SECONDS_MAX:g} s")


def _moved(workload: Workload, reports: dict) -> float:
    """Bytes or units per second; bytes count where they arrive."""
    ends = {"send": ("backend",), "both": ("clients", "backend")}
    unit = "bytes" if workload.counts_bytes else "units"
    counting = [reports[end] for end in ends.get(workload.client, ("clients",))]
    return sum(report[unit] / report["seconds"] for report in counting)


def _figures(workload: Workload, reports: dict, usage: machine.Usage) -> dict:
    rate = _moved(workload, reports)
    return {
        **_cpu_figures(rate, usage),
        "p50": reports["clients"]["p50_us"] / 1e6,
        "p99": reports["clients"]["p99_us"] / 1e6,
        "p999": reports["clients"]["p999_us"] / 1e6,
        "client_share": reports["clients"]["cpu_share"],
    }


def _cpu_figures(rate: float, usage: machine.Usage) -> dict:
    if rate == 0 or usage.proxy.used == 0:
        raise Failure(f"nothing was moved, or not by the proxy, in {usage.seconds:.1f} s")
    total = usage.proxy.used + usage.load.used + usage.softirq.used
    # Rates over nearly the same time, so the moments of looking need not be the same to the ms.
    return {
        "rate": rate,
        "cpu": usage.proxy.used / usage.seconds / rate,
        "total_cpu": total / usage.seconds / rate,
        "proxy_share": usage.proxy.used / usage.seconds,
        "beside_workers_share": 1 - usage.proxy.by_workers / usage.proxy.used,
        "proxy_system_share": usage.proxy_system_share,
        "load_share": usage.load.used / usage.seconds,
        "foreign_share": usage.foreign_share,
        "stolen_share": usage.stolen_share,
        "waited_share": usage.proxy.waited / usage.seconds,
    }


def _schedule_figures(asked: int, figures: dict) -> dict:
    is_kept = (
        figures["rate"] >= ACHIEVED_SHARE_MIN * asked and figures["load_share"] <= LOAD_SHARE_MAX
    )
    return {"asked_rate": asked, "schedule_kept": is_kept}


def is_disturbed(figures: dict) -> bool:
    """Somebody else had a part of a core that is not small."""
    shares = ("foreign_share", "stolen_share", "waited_share")
    return any(figures.get(share, 0) > FOREIGN_SHARE_MAX for share in shares)


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


def _measure_program(bench: Bench) -> dict:
    """The client's own start and end are in the window, and cost the proxy nothing."""
    watch = bench.watch()
    begin = watch.look()
    requests, seconds = real_programs.run_client(
        bench.workload.client, bench.port, bench.settings.seconds, bench.load_core
    )
    usage = watch.usage(begin, watch.look())
    figures = _cpu_figures(requests / usage.seconds, usage)
    figures["rate"] = requests / seconds
    # Client and backend start processes as they like, so the watch does not know what they used.
    unknown = ("foreign_share", "load_share", "total_cpu")
    return {key: value for key, value in figures.items() if key not in unknown}
