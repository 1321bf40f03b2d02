"""All the attacks on an admin side at once, each from a process of its own (attackers_main.py).
They yield the processors to the attacked, who would not share them with attackers elsewhere."""
import json
import signal
import subprocess
import sys
from pathlib import Path

from support.processes import end, spawn

_MAIN = Path(__file__).with_name("attackers_main.py")
LASTING = ("slow_headers", "bodies", "odd_requests", "deaf_streams", "events")


class Attackers:
    """They go on until `stop()`, except while they are paused; `have_come()` says when one after
    another that many have (0: never)."""

    def __init__(self, address, one_after_another):
        self._processes = {kind: self._start(kind, address) for kind in LASTING}
        self._processes["one_after_another"] = self._start(
            "one_after_another", address, one_after_another
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes.values():
            end(process)

    def have_come(self):
        return self._processes["one_after_another"].poll() is not None

    def pause(self):
        """What they have opened stays open."""
        self._signal(signal.SIGSTOP)

    def go_on(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(number)

    def stop(self):
        """By kind: how often, how many were answered, and how long it took."""
        self.go_on()
        for process in self._processes.values():
            process.stdin.close()
        told = {}
        for kind, process in self._processes.items():
            said = process.stdout.read()
            process.wait(30)
            assert process.returncode == 0, kind
            told[kind] = json.loads(said)
        return told

    @staticmethod
    def _start(kind, address, *count):
        words = [sys.executable, _MAIN, kind, *address, *count]
        return spawn(
            [str(word) for word in words],
            yields=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
