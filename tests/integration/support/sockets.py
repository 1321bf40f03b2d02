"""Plain sockets in the test's own hands, for what clients and backends do on purpose."""
import fcntl
import socket
import struct
import termios
import threading
from contextlib import contextmanager

from support.waiting import eventually

SECONDS = 10
SIOCOUTQ = termios.TIOCOUTQ
_RESET = struct.pack("ii", 1, 0)
# What `outcome` and `receive_all` say of a client that is refused.
REFUSED = (b"", "reset")


def connect(address, within=SECONDS, **options):
    sock = socket.create_connection(address, timeout=within, **options)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def listen(address=("127.0.0.1", 0), backlog=128):
    """A backend in the test's own hands: a listening socket, with .name and .address for the
    configuration."""
    return Listening(address, backlog)


class Listening:
    name = "b1"

    def __init__(self, address, backlog):
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address)
        self.socket.listen(backlog)
        self.socket.settimeout(SECONDS)
        self.port = self.socket.getsockname()[1]
        self.address = (
            f"[{address[0]}]:{self.port}" if ":" in address[0] else f"{address[0]}:{self.port}"
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def accept(self):
        accepted, _ = self.socket.accept()
        accepted.settimeout(SECONDS)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return accepted

    def nobody_came(self):
        self.socket.setblocking(False)
        try:
            self.socket.accept()
            return False
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(SECONDS)


@contextmanager
def session(sluice, listening, listener="front"):
    """Both ends of one session: the client's socket and the backend's."""
    client = connect(sluice.address(listener))
    backend = listening.accept()
    try:
        yield client, backend
    finally:
        client.close()
        backend.close()


def reset(sock):
    """Closes with a reset in place of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()


def unsent_bytes(sock):
    """What the other host's kernel has not acknowledged."""
    return struct.unpack("i", fcntl.ioctl(sock, SIOCOUTQ, b"\0\0\0\0"))[0]


def wait_until_taken(sock, within=SECONDS):
    """Until the other kernel has everything that was sent."""
    eventually(
        lambda: unsent_bytes(sock) == 0, within=within, what="everything sent is acknowledged"
    )


def receive(sock, count):
    """Exactly that many bytes, fewer only at the end of the stream."""
    data = bytearray()
    while len(data) < count:
        piece = sock.recv(min(count - len(data), 1 << 20))
        if not piece:
            break
        data += piece
    return bytes(data)


def receive_all(sock):
    """(every byte up to the end, how it ended: "fin" or "reset")."""
    data = bytearray()
    while True:
        try:
            piece = sock.recv(1 << 20)
        except ConnectionResetError:
            return bytes(data), "reset"
        if not piece:
            return bytes(data), "fin"
        data += piece


def outcome(address, **options):
    """What a client that only listens gets: (every byte, "fin" or "reset"). A refusal may come
    before connect returns."""
    try:
        sock = connect(address, **options)
    except ConnectionResetError:
        return b"", "reset"
    with sock:
        return receive_all(sock)


def exchange(sock, data):
    """Through an echoing backend, there and back."""
    sock.sendall(data)
    assert receive(sock, len(data)) == data


def greeting(address):
    """The first words of whoever serves a new client; none when it is refused."""
    try:
        with connect(address) as sock:
            return sock.recv(64).decode().strip()
    except ConnectionResetError:
        return ""


class InBackground(threading.Thread):
    """A call in a thread of its own; result() gives what it returned or raises what it raised."""

    def __init__(self, call, *arguments):
        super().__init__(daemon=True)
        self._call, self._arguments = call, arguments
        self._outcome, self._error = None, None
        self.start()

    def run(self):
        try:
            self._outcome = self._call(*self._arguments)
        except BaseException as error:  # handed over to result()
            self._error = error

    def result(self, within=60):
        self.join(within)
        assert not self.is_alive(), f"not done within {within} s"
        if self._error is not None:
            raise self._error
        return self._outcome
