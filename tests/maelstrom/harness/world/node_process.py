"""One node as a process: what goes in never blocks the harness, what comes out is cut into
lines."""
import os
import subprocess
import tempfile

from support.processes import end, spawn
from support.sluice import EXECUTABLE, SANITIZER_MARKS

READ_BYTES = 1 << 20
EXIT_SECONDS = 15
TAIL_BYTES = 4000


class NodeProcess:
    def __init__(self, command=(EXECUTABLE, "maelstrom")):
        self._stderr = tempfile.TemporaryFile()
        self.process = spawn(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            bufsize=0,
        )
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        os.set_blocking(self.stdin.fileno(), False)
        os.set_blocking(self.stdout.fileno(), False)
        self._outgoing = bytearray()
        self._partial = b""
        self.ended = False  # its stdout has

    @property
    def wants_write(self):
        return bool(self._outgoing)

    def write(self, data):
        self._outgoing += data
        self.flush()

    def flush(self):
        while self._outgoing:
            try:
                written = os.write(self.stdin.fileno(), self._outgoing)
            except BlockingIOError:
                return
            del self._outgoing[:written]

    def lines(self):
        """The complete lines that are there by now, as bytes without their newline."""
        found = []
        while not self.ended:
            try:
                data = os.read(self.stdout.fileno(), READ_BYTES)
            except BlockingIOError:
                break
            if not data:
                self.ended = True
                assert not self._partial, f"a last line without newline: {self._partial[:200]!r}"
                break
            *complete, self._partial = (self._partial + data).split(b"\n")
            found += complete
        return found

    def stderr(self):
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def tail(self):
        return self.stderr()[-TAIL_BYTES:]

    def finish(self):
        """The end of its input must end it, with status 0. Not for what it still prints."""
        self.stdin.close()
        status = self.process.wait(EXIT_SECONDS)
        assert status == 0, f"exit status {status}\n{self.tail()}"
        assert not any(mark in self.stderr() for mark in SANITIZER_MARKS), self.tail()

    def kill(self):
        end(self.process)
        self._stderr.close()
