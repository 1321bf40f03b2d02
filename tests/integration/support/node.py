"""The Maelstrom node as a process that a test talks with, message by message."""
import json
import os
import select
import subprocess

from support.processes import end, spawn
from support.sluice import EXECUTABLE, WRAPPER

SECONDS = 10


class Node:
    """`sluice maelstrom` on pipes."""

    def __init__(self, *arguments, executable=(EXECUTABLE, "maelstrom"), **options):
        self.process = spawn(
            [*WRAPPER, *executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            **options,
        )
        self._said = b""
        self._errors = b""
        self._number = 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def send(self, source, kind, **body):
        message = {"src": source, "dest": "n1", "body": {"type": kind, **body}}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")

    def hear(self):
        """The next message that it sends."""
        while b"\n" not in self._said:
            ready = select.select([self.process.stdout], [], [], SECONDS)[0]
            assert ready, f"nothing said; stderr: {self.errors()}"
            read = os.read(self.process.stdout.fileno(), 65536)
            assert read, f"its output ended; stderr: {self.errors()}"
            self._said += read
        line, _, self._said = self._said.partition(b"\n")
        return json.loads(line)

    def ask(self, kind, **body):
        """A client's request and the body of what is said next."""
        self._number += 1
        self.send("c1", kind, msg_id=self._number, **body)
        return self.hear()["body"]

    def init(self, *nodes):
        self.send("c0", "init", msg_id=1, node_id="n1", node_ids=["n1", *nodes])
        assert self.hear()["body"]["type"] == "init_ok"
        return self

    def errors(self):
        while select.select([self.process.stderr], [], [], 0)[0]:
            read = os.read(self.process.stderr.fileno(), 65536)
            if not read:
                break
            self._errors += read
        return self._errors.decode()

    def events(self, event):
        """The lines of a JSON log that tell of it."""
        lines = (line for line in self.errors().splitlines() if line.startswith("{"))
        return [found for found in map(json.loads, lines) if found["event"] == event]

    def finish(self):
        self.process.stdin.close()
        status = self.process.wait(SECONDS)
        self.process.stdin = None
        return status
