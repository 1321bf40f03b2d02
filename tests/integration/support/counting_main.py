"""A backend that counts its connections: those there are, and the most there ever were at a time.

Echoes, and closes when its peer has ended; it counts a connection out before it closes it, so that
nobody who waits for that close can be counted in before. Tells its port on the first line; then
each `counts` is answered with [most at a time, all].
"""
import json
import selectors
import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from support.helper import serve  # noqa: E402


class CountingServer:
    def __init__(self):
        self.now, self.most, self.all = 0, 0, 0
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def run(self):
        while True:
            for key, _ in self._selector.select():
                key.data(key.fileobj)

    def _accept(self, listener):
        try:
            while True:
                sock, _ = listener.accept()
                self.now, self.all = self.now + 1, self.all + 1
                self.most = max(self.most, self.now)
                sock.setblocking(False)
                self._selector.register(sock, selectors.EVENT_READ, self._echo)
        except BlockingIOError:
            pass

    def _echo(self, sock):
        try:
            data = sock.recv(4096)
            if data:
                sock.send(data)
                return
        except OSError:
            pass
        self._selector.unregister(sock)
        self.now -= 1
        sock.close()


def main():
    server = CountingServer()
    threading.Thread(target=server.run, daemon=True).start()
    print(json.dumps(server.port), flush=True)
    serve({"counts": lambda: [server.most, server.all]})


if __name__ == "__main__":
    main()
