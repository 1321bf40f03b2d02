"""A helper process that is told one command a line and answers each with one line of JSON."""
import json
import select
import subprocess
import sys
from pathlib import Path

from support.processes import end, spawn


class Helper:
    """`ask("hold", 9000)` sends that line and waits for its answer."""

    def __init__(self, script, *arguments):
        path = Path(__file__).with_name(script)
        self.process = spawn(
            [sys.executable, str(path), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def answer(self, within=60):
        readable, _, _ = select.select([self.process.stdout], [], [], within)
        assert readable, f"no answer within {within} s"
        line = self.process.stdout.readline()
        assert line, "the helper is gone"
        return json.loads(line)

    def ask(self, *words, within=60):
        self.tell(*words)
        return self.answer(within)


def serve(commands):
    """The helper's side: a table of functions; each one's result is its answer."""
    for line in sys.stdin:
        name, *arguments = line.split()
        print(json.dumps(commands[name](*map(int, arguments))), flush=True)
