"""Load from a process of its own, as tests use it."""
import json
import subprocess
import sys
from pathlib import Path

from support.processes import end, spawn

_MAIN = Path(__file__).with_name("load_main.py")
UNDER_LOAD = {"clients": 64, "rate": 700}
UNDER_LOAD_RATE_MIN = 500


class Load:
    """Runs from construction on, for a number of sessions (`result()`) or until `stop()` (see
    load_main.py)."""

    def __init__(self, address, **options):
        arguments = [sys.executable, str(_MAIN), "--connect", f"{address[0]}:{address[1]}"]
        for name, value in options.items():
            arguments += [f"--{name}", str(value)]
        self.process = spawn(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def stop(self, within=40):
        """No new session from now on; what is under way is finished."""
        return self.result(within)

    def result(self, within=120):
        output, _ = self.process.communicate(timeout=within)
        answer = json.loads(output)
        answer["rate"] = answer["sessions"] / answer["seconds"]
        return answer
