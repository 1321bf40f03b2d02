"""A helper process that is told one command a line and answers each with one line of JSON."""
import json
import sys
from pathlib import Path

from support.processes import Child


class Helper(Child):
    """`ask("hold", 9000)` sends that line and waits for its answer."""

    def __init__(self, script, *arguments):
        super().__init__(sys.executable, Path(__file__).with_name(script), *arguments)

    def answer(self, within=60):
        return json.loads(self.hear(within))

    def ask(self, *words, within=60):
        self.tell(*words)
        return self.answer(within)


def serve(commands):
    """The helper's side: a table of functions; each one's result is its answer."""
    for line in sys.stdin:
        name, *arguments = line.split()
        print(json.dumps(commands[name](*map(int, arguments))), flush=True)
