"""Sluice as a user runs it: a configuration file, a process, its two logs.

    with Sluice(front([backend])) as sluice:
        client = socket.create_connection(sluice.address())
        ...
        sluice.eventually(lambda: sluice.sessions(reason="client_closed"))
"""
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from support import kernel
from support.processes import end, spawn
from support.waiting import eventually

EXECUTABLE = os.environ.get("SLUICE", "sluice")
# A prefix such as "valgrind --error-exitcode=99"; what it finds shows in the exit status.
WRAPPER = shlex.split(os.environ.get("SLUICE_WRAPPER", ""))
START_SECONDS = 20
SANITIZER_MARKS = ("Sanitizer", "runtime error:")


def instrumented():
    """Sanitizers keep what was freed: memory says nothing then."""
    return (
        bool(WRAPPER) or b"__asan_init" in open(shutil.which(EXECUTABLE) or EXECUTABLE, "rb").read()
    )


def front(backends, *, cluster=None, listener=None, **settings):
    """A configuration with one listener on a free port and one cluster. Probes are off unless asked
    for."""
    return {
        "drain_timeout": "300ms",
        **settings,
        "listeners": [
            {"name": "front", "address": "127.0.0.1:0", "cluster": "back", **(listener or {})}
        ],
        "clusters": [
            {
                "name": "back",
                "backends": [_backend(item) for item in backends],
                "health_check": "off",
                **(cluster or {}),
            }
        ],
    }


def simple(address="127.0.0.1:0"):
    """The least that is a configuration, in front of nobody."""
    return {
        "listeners": [{"name": "web", "address": address, "cluster": "web"}],
        "clusters": [{"name": "web", "backends": ["127.0.0.1:9"]}],
    }


def _backend(item):
    if isinstance(item, (str, dict)):
        return item
    return {"address": item.address, "name": item.name}


class Sluice:
    """`sluice run` on a configuration (a dictionary, or the path of a file), its logs as lists of
    dictionaries."""

    def __init__(
        self, conf, *arguments, nofile=None, environment=None, wait=True, stdout=None, wrapper=()
    ):
        self._directory = tempfile.TemporaryDirectory(prefix="sluice-test-")
        self.directory = Path(self._directory.name)
        self.access_log = self.directory / "access.log"
        if isinstance(conf, Path):
            self.conf_file = conf
            arguments = [*_logs_as_settings(self.access_log), *arguments]
        else:
            self.conf_file = self.directory / "conf.json"
            self.conf_file.write_text(
                json.dumps(
                    {
                        "log": {"format": "json"},
                        "access_log": {"file": str(self.access_log), "format": "json"},
                        **conf,
                    }
                )
            )
        self._stderr = self.directory / "stderr"
        self._stdout = self.directory / "stdout"
        with open(self._stderr, "w") as stderr, open(self._stdout, "w") as own_stdout:
            self.process = spawn(
                [*wrapper, *WRAPPER, EXECUTABLE, "run", "-c", str(self.conf_file), *arguments],
                nofile=nofile,
                stdin=subprocess.DEVNULL,
                stdout=own_stdout if stdout is None else stdout,
                stderr=stderr,
                env={**os.environ, **(environment or {})},
            )
        self.pid = self.process.pid
        self.exited = False
        if wait:
            self.wait_until_ready()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None and not self.exited:
                status = self.finish()
                assert status == 0, f"exit status {status} at the end of the test\n{self.tail()}"
            assert not any(mark in self.stderr() for mark in SANITIZER_MARKS), self.stderr()
        finally:
            end(self.process)
            if kind is not None:
                print(
                    f"---- stderr of sluice\n{self.tail()}\n---- end of its access log\n"
                    + "\n".join(str(line) for line in self.sessions()[-10:])
                )
            self._directory.cleanup()

    def wait_until_ready(self):
        def ready_or_gone():
            return self.process.poll() is not None or self.events("ready")

        try:
            eventually(ready_or_gone, within=START_SECONDS, what="sluice is ready")
            assert self.process.poll() is None, f"exit status {self.process.returncode} at start"
        except AssertionError:
            print(self.stderr())
            end(self.process)
            raise

    # What it says.

    def stderr(self):
        return self._stderr.read_text(errors="replace")

    def stdout(self):
        return self._stdout.read_text(errors="replace")

    def tail(self, lines=40):
        return "\n".join(self.stderr().splitlines()[-lines:])

    def log(self):
        """The lines of the process log; what is not JSON is left out."""
        return [entry for entry in map(_parsed, self.stderr().splitlines()) if entry is not None]

    def events(self, event=None, **fields):
        return [
            entry
            for entry in self.log()
            if (event is None or entry.get("event") == event) and _matches(entry, fields)
        ]

    def transitions(self, event, backend=None):
        """The states it went through, as [(from, to), ...]."""
        fields = {} if backend is None else {"backend": backend}
        return [(entry["from"], entry["to"]) for entry in self.events(event, **fields)]

    def sessions(self, **fields):
        """The finished sessions so far, from the access log."""
        if not self.access_log.exists():
            return []
        with open(self.access_log) as log:
            entries = [json.loads(line) for line in log if line.endswith("\n")]
        return [entry for entry in entries if _matches(entry, fields)]

    def session_count(self):
        if not self.access_log.exists():
            return 0
        with open(self.access_log, "rb") as log:
            return sum(block.count(b"\n") for block in iter(lambda: log.read(1 << 20), b""))

    def address(self, listener="front"):
        host, port = self.events("listening", listener=listener)[0]["address"].rsplit(":", 1)
        return host.strip("[]"), int(port)

    def eventually(self, predicate, within=5.0, what="the condition"):
        def describe():
            return f"{what}\n{self.tail()}"

        return eventually(predicate, within=within, what=describe)

    def eventually_session(self, within=5.0, **fields):
        """The first finished session with these fields."""
        return self.eventually(lambda: self.sessions(**fields), within, f"a session with {fields}")[
            0
        ]

    def eventually_event(self, event, within=5.0, **fields):
        return self.eventually(
            lambda: self.events(event, **fields), within, f"event {event} with {fields}"
        )[0]

    # What the kernel says of it.

    def fd_count(self):
        return kernel.fd_count(self.pid)

    def rss_kib(self):
        return kernel.rss_kib(self.pid)

    def cpu_share(self, seconds):
        """Its share of one CPU over that time. The interval is what is measured, nothing is waited
        for."""
        begun, before = time.monotonic(), kernel.cpu_seconds(self.pid)
        time.sleep(seconds)
        return (kernel.cpu_seconds(self.pid) - before) / (time.monotonic() - begun)

    # Ending it.

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, within):
        """Its exit status; fails when it is not gone by then."""
        try:
            status = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within:g} s\n{self.tail()}") from None
        self.exited = True
        return status

    def finish(self, within=START_SECONDS):
        self.signal(signal.SIGTERM)
        return self.wait(within)


def _logs_as_settings(access_log):
    settings = {"log.format": "json", "access_log.file": access_log, "access_log.format": "json"}
    return [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]


def _parsed(line):
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _matches(entry, fields):
    return all(entry.get(name) == value for name, value in fields.items())


def run(*arguments, input=None, within=30, **options):
    """One command of sluice to its end."""
    return subprocess.run(
        [EXECUTABLE, *map(str, arguments)],
        input=input,
        timeout=within,
        text=True,
        capture_output=True,
        **options,
    )
