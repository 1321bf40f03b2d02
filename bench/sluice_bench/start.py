"""How long a file with very many backends takes: to be checked, and until it is ready."""

import subprocess
import time

from sluice_bench.programs import Failure, pin
from sluice_bench.setup import Bench
from sluice_bench.targets import Place, sluice_settings, start_sluice

def measure_start(bench: Bench) -> dict:
    """Another Sluice than the one that is running, with `connections` backends and probes on."""
    port = bench.port + 1
    place = Place(bench.directory, port, bench.port, bench.settings.sluice, bench.workers)
    settings = sluice_settings(place)
    settings["log"] = {"level": "info"}
    settings["clusters"][0]["backends"] = [
        f"127.{1 + i // 62500}.{i // 250 % 250}.{i % 250 + 1}:{bench.port}"
        for i in range(bench.workload.connections)
    ]
    run = start_sluice(place, settings)
    check = [run[0], "check", *run[2:]]
    begin = time.monotonic()
    if subprocess.run(check, capture_output=True, check=False).returncode != 0:
        raise Failure(f"the file with {len(settings['clusters'][0]['backends'])} was refused")
    checked = time.monotonic()
    with subprocess.Popen(
        run, stderr=subprocess.PIPE, text=True, preexec_fn=pin(bench.proxy_cores)
    ) as sluice:
        try:
            if not any("event=ready" in line for line in sluice.stderr):
                raise Failure("it ended before it was ready")
            started = time.monotonic()
        finally:
            sluice.kill()
    return {"check_seconds": checked - begin, "start_seconds": started - checked}
