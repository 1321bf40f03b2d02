"""Clients that keep their sessions: `hold N` opens N, `exchange` uses every one once more, `close`
ends them."""
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from support.helper import serve  # noqa: E402

SECONDS = 20


class Holders:
    def __init__(self, host, port):
        self.address = (host, int(port))
        self.held = []

    def hold(self, count):
        for _ in range(count):
            sock = socket.create_connection(self.address, timeout=SECONDS)
            self.held.append(sock)
        return self.exchange()

    def exchange(self):
        """How many of them got their own bytes back."""
        for number, sock in enumerate(self.held):
            sock.sendall(b"%08d" % number)
        good = 0
        for number, sock in enumerate(self.held):
            good += sock.recv(8, socket.MSG_WAITALL) == b"%08d" % number
        return good

    def close(self):
        count = len(self.held)
        for sock in self.held:
            sock.close()
        self.held = []
        return count


def main():
    holders = Holders(*sys.argv[1:3])
    serve({"hold": holders.hold, "exchange": holders.exchange, "close": holders.close})


if __name__ == "__main__":
    main()
