"""Real programs in front of and behind each proxy: Redis, nginx with wrk, PostgreSQL."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from sluice_bench.programs import Failure, Program, Proxy, pin

_CONNECTIONS = 50
_CLIENT_SECONDS_MAX = 120
# What a redis-benchmark asks for in a second of measuring, about: it counts, and has no duration.
_REDIS_REQUESTS_PER_SECOND = {1: 40_000, 16: 300_000}
_POSTGRES_USERS = ("postgres", "nobody")
_CLIENT_PROGRAMS = {"redis": "redis-benchmark", "nginx": "wrk", "postgres": "pgbench"}
_SERVER_PROGRAMS = {"redis": "redis-server", "nginx": "nginx"}


def missing(backend: str) -> str:
    """Why this backend cannot be used here; empty when it can."""
    if backend == "postgres":
        if _postgres_programs() is None:
            return "PostgreSQL's programs are not installed"
        if os.geteuid() != 0:
            return "initdb needs a user of its own, so it is done only as root"
    needed = (_CLIENT_PROGRAMS[backend], _SERVER_PROGRAMS.get(backend))
    absent = [name for name in needed if name and shutil.which(name) is None]
    return f"{absent[0]} is not installed" if absent else ""


def start_backend(name: str, directory: Path, port: int, cores: list[int]) -> Program:
    commands = {"redis": _redis, "nginx": _nginx, "postgres": _postgres}
    backend = Proxy(commands[name](directory, port), cores, directory / "backend.stderr")
    try:
        backend.wait_until_ready(port, 2 if name == "nginx" else 1)
        if name == "postgres":
            _fill_postgres(port)
    except BaseException:
        backend.__exit__()
        raise
    return backend


def run_client(name: str, port: int, seconds: float, core: int) -> tuple[int, float]:
    """How many requests it made, and in how many seconds by its own clock."""
    if name.startswith("redis-"):
        return _run_redis_benchmark(port, seconds, core, int(name.partition("-")[2]))
    if name == "pgbench":
        return _run_pgbench(port, seconds, core)
    return _run_wrk(port, seconds, core, ["-H", "Connection: close"] * (name == "wrk-close"))


def _run(command: list[str], core: int, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=_CLIENT_SECONDS_MAX,
        check=False,
        preexec_fn=pin([core]),
        env={**os.environ, **(environment or {})},
    )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Failure(f"{command[0]} failed: {' '.join(words)}")
    return done.stdout


def _find(pattern: str, text: str, program: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise Failure(f"{program} did not say what was expected: {text.strip()[-200:]}")
    return found[1]


def _redis(directory: Path, port: int) -> list[str]:
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    return command + ["--appendonly", "no", "--dir", str(directory)]


def _run_redis_benchmark(port: int, seconds: float, core: int, pipeline: int) -> tuple[int, float]:
    # GET and SET, one after the other.
    tests = 2
    requests = int(_REDIS_REQUESTS_PER_SECOND[pipeline] * seconds / tests)
    command = ["redis-benchmark", "-p", str(port), "-t", "get,set", "-c", str(_CONNECTIONS)]
    output = _run(command + ["-P", str(pipeline), "-n", str(requests), "--csv"], core)
    rates = re.findall(r'^"[GS]ET","([0-9.]+)"', output, re.MULTILINE)
    if len(rates) != tests:
        raise Failure(f"redis-benchmark did not say what was expected: {output.strip()[-200:]}")
    return tests * requests, sum(requests / float(rate) for rate in rates)


def _nginx(directory: Path, port: int) -> list[str]:
    conf = directory / "backend.conf"
    conf.write_text(
        "daemon off;\nworker_processes 1;\nerror_log stderr crit;\n"
        f"pid {directory}/backend.pid;\nevents {{ worker_connections 4096; }}\n"
        "http {\n  access_log off;\n  keepalive_requests 1000000000;\n"
        f"  server {{\n    listen 127.0.0.1:{port} backlog=4096;\n"
        '    location / { return 200 "here\\n"; }\n  }\n}\n'
    )
    return ["nginx", "-e", "stderr", "-p", str(directory), "-c", str(conf)]


def _run_wrk(port: int, seconds: float, core: int, options: list[str]) -> tuple[int, float]:
    whole_seconds = max(1, round(seconds))
    command = ["wrk", "-t", "1", "-c", str(_CONNECTIONS), "-d", f"{whole_seconds}s", *options]
    output = _run([*command, f"http://127.0.0.1:{port}/"], core)
    if errors := re.search(r"(Socket errors: connect [1-9].*|Non-2xx.*)", output):
        raise Failure(f"wrk: {errors[0]}")
    requests = int(_find(r"(\d+) requests in", output, "wrk"))
    return requests, requests / float(_find(r"Requests/sec:\s+([0-9.]+)", output, "wrk"))


def _postgres_programs() -> Path | None:
    directories = Path("/usr/lib/postgresql").glob("*/bin")
    return max((d for d in directories if (d / "initdb").exists()), default=None)


def _postgres(directory: Path, port: int) -> list[str]:
    programs = _postgres_programs()
    data = directory / "data"
    data.mkdir()
    user = next(name for name in _POSTGRES_USERS if _is_user(name))
    shutil.chown(data, user)
    as_user = ["setpriv", f"--reuid={user}", "--clear-groups"]
    initialize = [*as_user, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "bench"]
    done = subprocess.run(initialize, capture_output=True, text=True, check=False, cwd=data)
    if done.returncode != 0:
        raise Failure(f"initdb: {done.stderr.strip()[-200:]}")
    settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"]
    command = [*as_user, str(programs / "postgres"), "-D", str(data), "-p", str(port)]
    return command + [word for setting in settings for word in ("-c", setting)]


def _is_user(name: str) -> bool:
    return subprocess.run(["id", name], capture_output=True, check=False).returncode == 0


def _pgbench(port: int) -> list[str]:
    return ["pgbench", "-h", "127.0.0.1", "-p", str(port), "-U", "bench"]


def _fill_postgres(port: int) -> None:
    # It takes connections before it takes queries.
    for attempt in range(20):
        command = [*_pgbench(port), "-i", "-q", "postgres"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.1 * (attempt + 1))
    raise Failure(f"pgbench -i: {done.stderr.strip()[-200:]}")


def _run_pgbench(port: int, seconds: float, core: int) -> tuple[int, float]:
    duration = str(max(1, round(seconds)))
    options = ["-n", "-C", "-S", "-c", "8", "-T", duration]
    output = _run([*_pgbench(port), *options, "postgres"], core)
    requests = int(_find(r"actually processed: (\d+)", output, "pgbench"))
    return requests, requests / float(_find(r"tps = ([0-9.]+)", output, "pgbench"))
