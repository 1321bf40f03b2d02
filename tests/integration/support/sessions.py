"""Sessions on a schedule by a program in C++ (load/session_load.cc): what they got, and whether a
worse time can be told from a better one."""
import json
import os
import statistics
import time
from itertools import chain
from typing import NamedTuple

from support.processes import Child

EXECUTABLE = os.environ.get("SESSION_LOAD", "session-load")
AT_A_TIME = 512
RATES = (5000, 3500, 2500, 1700, 1200, 800, 500, 300, 150)
RATE_KEPT = 0.97
CALM_P99_MS = 60
# What is called a disturbance: the slow ones are slower than twice as slow, beyond what a busy
# machine does by itself.
TIMES_SLOWER = 2
MS_SLOWER = 25


class Window(NamedTuple):
    """What sessions got in some time."""

    seconds: float
    sessions: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self):
        return self.sessions / self.seconds


class EchoServer(Child):
    """One for thousands of sessions a second."""

    name = "echo"

    def __init__(self):
        super().__init__(EXECUTABLE, "backend")
        self.address = f"127.0.0.1:{int(self.hear())}"


class Sessions(Child):
    """From construction until `stop()`, which tells how many there were and how many failed."""

    def __init__(self, address, rate):
        options = {"--port": address[1], "--rate": rate, "--at-a-time": AT_A_TIME}
        super().__init__(EXECUTABLE, "clients", *chain.from_iterable(options.items()))
        self.rate = rate

    def window(self, seconds):
        """What they get in so many seconds from now. The time is what is measured."""
        self.tell("mark")
        assert self.hear() == "marked"
        time.sleep(seconds)
        self.tell("report")
        told = json.loads(self.hear())
        times = (told[name] / 1000 for name in ("p50_us", "p99_us"))
        return Window(told["seconds"], told["units"], *times)

    def stop(self):
        return json.loads(self.last_words(within=30))

    def keep_up(self, window):
        """Whether all of them go through, and hardly one slowly."""
        return window.rate >= RATE_KEPT * self.rate and window.p99_ms <= CALM_P99_MS


def p99_max(calm):
    """Beyond what the slow ones are called disturbed, in ms. Medians, so that what else the machine
    has to do for a moment decides nothing."""
    return TIMES_SLOWER * statistics.median(window.p99_ms for window in calm) + MS_SLOWER


def is_disturbed(windows, calm):
    return statistics.median(window.p99_ms for window in windows) > p99_max(calm)
