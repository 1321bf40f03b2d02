"""A backend in the test's own hands that answers probes as it is told, and keeps when each came."""
import socket
import threading
import time

# A health_check that needs no patience.
FAST = {"interval": "200ms", "unhealthy_interval": "200ms", "timeout": "150ms", "jitter": 0}


class Probed:
    """Accepts on a thread of its own. `answer` maps what it read to what it says (None: says
    nothing, hangs on)."""

    def __init__(self, name="b1", answer=None, speaks_first=None):
        self.name, self.answer, self.speaks_first = name, answer, speaks_first
        self.arrivals, self.heard, self._kept = [], [], []
        self._listener = None
        self.port = 0
        self.open()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shut()
        for sock in self._kept:
            sock.close()

    def open(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def shut(self):
        """From now on connects are refused."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _serve(self, listener):
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            self.arrivals.append(time.monotonic())
            threading.Thread(target=self._talk, args=(accepted,), daemon=True).start()

    def _talk(self, sock):
        self._kept.append(sock)
        try:
            if self.speaks_first is not None:
                sock.sendall(self.speaks_first)
            while data := sock.recv(4096):
                self.heard.append(data)
                reply = self.answer(data) if self.answer else None
                if reply == b"":
                    break
                if reply is not None:
                    sock.sendall(reply)
            sock.close()
        except OSError:
            sock.close()
