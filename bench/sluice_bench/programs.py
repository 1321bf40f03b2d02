"""Programs of a measurement: started pinned to a core, never outliving it."""

import json
import os
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

from sluice_bench.machine import process_tree

_START_SECONDS_MAX = 20.0
_STOP_SECONDS_MAX = 5.0


class Failure(Exception):
    """A measurement that is worth nothing, and why."""


def pin(cores: list[int]):
    """For what is started: those cores only."""
    return lambda: os.sched_setaffinity(0, cores)


class Program:
    """A process with its stderr in a file; ended with the `with` block it was made in."""

    def __init__(self, command: list[str], cores: list[int], errors: Path) -> None:
        self._name = Path(command[0]).name
        self._errors = errors
        with errors.open("wb") as error_file:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=error_file,
                preexec_fn=pin(cores),
            )
        self._unread = b""

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def failure(self, what: str) -> Failure:
        last_words = self._errors.read_text(errors="replace").strip().splitlines()[-3:]
        return Failure(f"{self._name} {what}: {' | '.join(last_words) or 'no word on stderr'}")

    def read_line(self, seconds_max: float = _START_SECONDS_MAX) -> str:
        give_up_at = time.monotonic() + seconds_max
        while b"\n" not in self._unread:
            left = give_up_at - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise self.failure(f"said nothing for {seconds_max:.0f} s")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise self.failure("ended")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def ask(self, command: str) -> str:
        try:
            self.process.stdin.write(command.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self.failure("ended") from None
        return self.read_line()


class Proxy(Program):
    """Sluice, a peer or a real backend; ready when it takes connections and has its processes.

    nginx listens before it starts its worker.
    """

    def wait_until_ready(self, port: int, processes: int) -> None:
        give_up_at = time.monotonic() + _START_SECONDS_MAX
        while time.monotonic() < give_up_at:
            if self.process.poll() is not None:
                raise self.failure(f"ended with status {self.process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                if len(process_tree(self.process.pid)) >= processes:
                    return
            except OSError:
                pass
            time.sleep(0.01)
        raise self.failure("takes no connections")


class Load(Program):
    """bench-load, as backend or as clients."""

    @classmethod
    def start(
        cls,
        program: Path,
        role: str,
        mode: str,
        options: dict[str, int],
        cores: list[int],
        errors: Path,
    ) -> "Load":
        """`role` is backend or client; the options are bench-load's."""
        command = [str(program), role, mode]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        return cls(command, cores, errors)

    def wait_until_ready(self) -> None:
        if self.read_line() != "ready":
            raise self.failure("did not start")

    def mark(self) -> None:
        self.ask("mark")

    def report(self) -> dict:
        return json.loads(self.ask("report"))


class Strace:
    """Counts the system calls of running processes between two moments."""

    def __init__(self, pids: list[int], directory: Path) -> None:
        self._counts = directory / "strace.txt"
        command = ["strace", "-f", "-c", "-o", str(self._counts)]
        for pid in pids:
            command += ["-p", str(pid)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE)
        # It says so for the first thread before it has the others; those idle here.
        if not select.select([self._process.stderr], [], [], _START_SECONDS_MAX)[0]:
            self._process.kill()
            raise Failure("strace does not attach")
        first_words = os.read(self._process.stderr.fileno(), 4096).decode()
        if "attached" not in first_words:
            self._process.wait()
            raise Failure(f"strace: {first_words.strip()}")

    def stop(self) -> dict[str, int]:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=_STOP_SECONDS_MAX)
        counts = {}
        for line in self._counts.read_text().splitlines():
            fields = line.split()
            # "% time, seconds, usecs/call, calls, [errors,] syscall", then the total.
            if len(fields) >= 5 and fields[3].isdigit() and fields[-1] not in ("total", "syscall"):
                counts[fields[-1]] = int(fields[3])
        return counts
