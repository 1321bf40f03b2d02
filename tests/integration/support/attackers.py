"""All the attacks on an admin side at once, each from a process of its own (attackers_main.py).
They yield the processors to the attacked, who would not share them with attackers elsewhere."""
import json
import signal
import sys
from pathlib import Path

from support.processes import Child

_MAIN = Path(__file__).with_name("attackers_main.py")
LASTING = ("slow_headers", "bodies", "odd_requests", "deaf_streams", "events")


class Attackers:
    """They go on until `stop()`, except while they are paused; `have_come()` says when one after
    another that many have (0: never)."""

    def __init__(self, address, one_after_another):
        self._kinds = {kind: _start(kind, address) for kind in LASTING}
        self._kinds["one_after_another"] = _start("one_after_another", address, one_after_another)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self._kinds.values():
            child.__exit__()

    def have_come(self):
        return self._kinds["one_after_another"].process.poll() is not None

    def pause(self):
        """What they have opened stays open."""
        self._signal(signal.SIGSTOP)

    def go_on(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        for child in self._kinds.values():
            if child.process.poll() is None:
                child.process.send_signal(number)

    def stop(self):
        """By kind: how often, how many were answered, and how long it took."""
        self.go_on()
        for child in self._kinds.values():
            child.process.stdin.close()
        told = {}
        for kind, child in self._kinds.items():
            said = child.process.stdout.read()
            child.process.wait(30)
            assert child.process.returncode == 0, kind
            told[kind] = json.loads(said)
        return told


def _start(kind, address, *count):
    return Child(sys.executable, _MAIN, kind, *address, *count, yields=True)
