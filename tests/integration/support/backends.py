"""Backends as tests use them: real processes that can be killed, and addresses where nobody answers
well."""
import select
import socket
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from support.processes import end, spawn
from support.waiting import eventually

_MAIN = Path(__file__).with_name("backend_main.py")


class Backend:
    """A backend in a process of its own (see backend_main.py for the kinds), listening on one or
    more addresses."""

    def __init__(self, kind="echo", name="b1", addresses=("127.0.0.1:0",), stream_bytes=0):
        self.kind, self.name, self.stream_bytes = kind, name, stream_bytes
        self.addresses = list(addresses)
        self._said = tempfile.NamedTemporaryFile("r", prefix="backend-")
        self.process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        self._said.close()

    @property
    def address(self):
        return self.addresses[0]

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    def start(self):
        """Starts it, or starts it again where it was before."""
        begun = len(self._lines())
        with open(self._said.name, "a") as output:
            self.process = spawn(
                [
                    sys.executable,
                    str(_MAIN),
                    self.kind,
                    "--name",
                    self.name,
                    "--bytes",
                    str(self.stream_bytes),
                    "--address",
                    *self.addresses,
                ],
                stdout=output,
            )
        eventually(
            lambda: "ready" in self._lines()[begun:] or self.process.poll() is not None,
            within=10,
            what="backend listens",
        )
        assert self.process.poll() is None
        self.addresses = [
            line.split()[1] for line in self._lines()[begun:] if line.startswith("listening ")
        ]

    def kill(self):
        """SIGKILL; when it returns, its sockets are gone."""
        self.process.kill()
        self.process.wait()

    def arrivals(self, address=None):
        """The times (monotonic, the whole machine's) at which it accepted a connection, over all
        its lives."""
        times = []
        for line in self._lines():
            time, _, where = line.partition(" ")
            if time[0].isdigit() and (address is None or where == address):
                times.append(float(time))
        return times

    def _lines(self):
        with open(self._said.name) as said:
            return [line.rstrip("\n") for line in said if line.endswith("\n")]


@contextmanager
def backends(count, kind="echo", **options):
    """b1, b2, …"""
    started = []
    try:
        for number in range(1, count + 1):
            started.append(Backend(kind, f"b{number}", **options))
        yield started
    finally:
        for backend in started:
            backend.__exit__()


class Refusing:
    """An address on which nobody listens, kept from everybody else by a socket that is bound and
    does not listen."""

    def __init__(self, name="dead"):
        self.name = name
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()


class Hanging:
    """Listens, accepts nothing, and its backlog is full: a connect to it gets no answer at all."""

    def __init__(self, name="hanging", port=0):
        self.name = name
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(0)
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        # A backlog of none holds one. Where another's connect was quicker, this one must not go on
        # asking.
        self._filler = socket.socket()
        self._filler.setblocking(False)
        self._filler.connect_ex(self._listener.getsockname())
        if select.select([], [self._filler], [], 0)[1] == []:
            self._filler.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._filler.close()
        self._listener.close()

    def accept_again(self, within):
        """From now on it accepts; the first that comes."""
        self._listener.settimeout(within)
        self._listener.accept()[0].close()
        return self._listener.accept()[0]
