"""Load from a process of its own, as tests use it."""
import json
import sys
from pathlib import Path

from support.processes import Child

_MAIN = Path(__file__).with_name("load_main.py")
UNDER_LOAD = {"clients": 64, "rate": 700}
UNDER_LOAD_RATE_MIN = 500


class Load(Child):
    """Runs from construction on, for a number of sessions (`result()`) or until `stop()` (see
    load_main.py)."""

    def __init__(self, address, **options):
        arguments = ["--connect", f"{address[0]}:{address[1]}"]
        for name, value in options.items():
            arguments += [f"--{name}", value]
        super().__init__(sys.executable, _MAIN, *arguments)

    def stop(self, within=40):
        """No new session from now on; what is under way is finished."""
        return self.result(within)

    def result(self, within=120):
        answer = json.loads(self.last_words(within))
        answer["rate"] = answer["sessions"] / answer["seconds"]
        return answer
