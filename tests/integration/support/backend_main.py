"""A backend in a process of its own. Tells on stdout where it listens, then one line per
connection: time, address.

Kinds: `echo` (carries a half-close back), `banner` (speaks first: its name and a newline, then
echoes), `source` (sends --bytes of the pattern, then its FIN), `sink` (reads everything, then
closes), `deaf` (accepts, never reads and never writes).
"""
import argparse
import os
import selectors
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from support import pattern  # noqa: E402

READ_BYTES = 256 * 1024


class Connection:
    """One accepted connection of an echo; the other kinds say where they differ."""

    def __init__(self, server, sock):
        self.server, self.sock = server, sock
        self.unsent = b""
        self.reading, self.finishing = True, False
        server.selector.register(sock, selectors.EVENT_READ, self)
        self.opened()

    def opened(self):
        pass

    def readable(self):
        data = self.sock.recv(READ_BYTES)
        if data:
            self.received(data)
        else:
            self.reading = False
            self.ended()
        self.update()

    def received(self, data):
        self.send(data)

    def ended(self):
        self.finishing = True

    def send(self, data):
        if self.unsent:
            self.unsent = bytes(self.unsent) + data
            return
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        self.unsent = data[sent:]

    def writable(self):
        self.unsent = self.unsent[self.sock.send(self.unsent) :]
        self.update()

    def update(self):
        """Interest follows from what is to be done; nothing left to do closes."""
        if self.finishing and not self.unsent and not self.reading:
            self.close()
            return
        events = (selectors.EVENT_READ if self.reading and not self.unsent else 0) | (
            selectors.EVENT_WRITE if self.unsent else 0
        )
        registered = self.sock in self.server.selector.get_map()
        if events and registered:
            self.server.selector.modify(self.sock, events, self)
        elif events:
            self.server.selector.register(self.sock, events, self)
        elif registered:
            self.server.selector.unregister(self.sock)

    def close(self):
        if self.sock in self.server.selector.get_map():
            self.server.selector.unregister(self.sock)
        self.sock.close()


class Banner(Connection):
    def opened(self):
        self.send(self.server.name.encode() + b"\n")


class Source(Connection):
    def opened(self):
        self.position = 0
        self.refill()
        self.update()

    def refill(self):
        left = self.server.bytes_per_connection - self.position
        self.unsent = pattern.piece(self.position, min(left, READ_BYTES))
        self.position += len(self.unsent)
        if left == 0:
            self.sock.shutdown(socket.SHUT_WR)
            self.finishing = True

    def received(self, data):
        pass

    def ended(self):
        if not self.finishing and self.position == self.server.bytes_per_connection:
            self.finishing = True

    def writable(self):
        try:
            while self.unsent:
                self.unsent = self.unsent[self.sock.send(self.unsent) :]
                if not self.unsent:
                    self.refill()
        except BlockingIOError:
            pass
        self.update()

    def update(self):
        if self.finishing and not self.reading:
            self.close()
            return
        events = (selectors.EVENT_READ if self.reading else 0) | (
            selectors.EVENT_WRITE if self.unsent else 0
        )
        self.server.selector.modify(self.sock, events or selectors.EVENT_READ, self)


class Sink(Connection):
    def received(self, data):
        pass


class Deaf(Connection):
    def opened(self):
        self.server.selector.unregister(self.sock)
        self.server.kept.append(self)


KINDS = {"echo": Connection, "banner": Banner, "source": Source, "sink": Sink, "deaf": Deaf}


class Server:
    def __init__(self, options):
        self.name = options.name
        self.bytes_per_connection = options.bytes
        self.kind = KINDS[options.kind]
        self.selector = selectors.DefaultSelector()
        self.kept = []
        for address in options.address:
            self._listen(address)

    def _listen(self, address):
        if address.startswith("unix:"):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(address[len("unix:") :])
            shown = address
        else:
            host, port = address.rsplit(":", 1)
            host = host.strip("[]")
            listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, int(port)))
            shown = f"{address.rsplit(':', 1)[0]}:{listener.getsockname()[1]}"
        listener.listen(4096)
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ, (listener, shown))
        say(f"listening {shown}")

    def run(self):
        say("ready")
        while True:
            for key, events in self.selector.select():
                if isinstance(key.data, tuple):
                    self._accept(*key.data)
                else:
                    self._step(key.data, events)

    def _accept(self, listener, shown):
        for _ in range(64):
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            say(f"{time.monotonic():.6f} {shown}")
            sock.setblocking(False)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.kind(self, sock)
            except OSError:  # it has gone already
                if sock in self.selector.get_map():
                    self.selector.unregister(sock)
                sock.close()

    @staticmethod
    def _step(connection, events):
        try:
            if events & selectors.EVENT_READ:
                connection.readable()
            if events & selectors.EVENT_WRITE and connection.sock.fileno() >= 0:
                connection.writable()
        except BlockingIOError:
            pass
        except OSError:
            connection.close()


def say(line):
    os.write(1, line.encode() + b"\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--name", default="backend")
    parser.add_argument("--bytes", type=int, default=0)
    parser.add_argument("--address", nargs="+", default=["127.0.0.1:0"])
    Server(parser.parse_args()).run()


if __name__ == "__main__":
    main()
