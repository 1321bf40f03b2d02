"""Attacks one admin side in one way until stdin ends, or COUNT times; then prints how often it did.

    attackers_main.py KIND HOST PORT [COUNT]

In the kernel's idle class: an attacker is another machine, which takes no processor from those that
are watched; what it makes the attacked program do is that program's.
"""
import itertools
import json
import os
import select
import socket
import sys
import threading
import time

SECONDS = 10
HOST = b"Host: 127.0.0.1\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b"x" * 65536
BODY_BYTES = 10 << 20
SLOW_CLIENTS, DEAF_CLIENTS = 300, 28
# Sources besides 127.0.0.1, so that the limit for one of them is not what protects.
SOURCES = 6

ODD_REQUESTS = [
    b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /api/%2e%2e%2fstatus HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /live\0/x HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /live HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 8000 + b"\r\n",
    b"\x16\x03\x01" + bytes(range(256)) * 8 + b"\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"\r\n" * 5000 + b"GET /live HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /live HTTP/1.1\r\n" + HOST + b"\r\n" + (b"GET /live HTTP/1.1\r\n" + HOST + b"\r\n") * 500,
    b"POST /api/drain HTTP/1.1\r\n" + HOST + b"Origin: http://evil.example\r\n\r\n",
    b"POST /api/drain HTTP/1.1\r\n" + HOST + b"Origin: null\r\n\r\n",
    b"POST /api/drain HTTP/1.1\r\n" + HOST + b"Sec-Fetch-Site: cross-site\r\n\r\n",
    b"POST /api/drain HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"POST /api/drain HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n" + CHUNKED + b"0\r\n\r\n",
    b"GET /api/sessions?limit=1000 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /api/config HTTP/1.1\r\n" + HOST + b"\r\n",
]


class Attacker:
    def __init__(self, address, count):
        self.address, self.count = address, count
        self.done, self.answered = 0, 0
        self.told_to_end = threading.Event()
        self._sources = itertools.cycle(f"127.0.9.{number + 1}" for number in range(SOURCES))
        threading.Thread(target=self._await_end, daemon=True).start()

    def _await_end(self):
        sys.stdin.read()
        self.told_to_end.set()

    def goes_on(self):
        return not self.told_to_end.is_set() and not (self.count and self.done >= self.count)

    def connect(self, receive_bytes=None):
        sock = socket.socket()
        sock.settimeout(SECONDS)
        if receive_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.bind((next(self._sources), 0))
        sock.connect(self.address)
        return sock

    def one_after_another(self):
        """A connection, a request, its answer, and the next connection."""
        while self.goes_on():
            try:
                with self.connect() as sock:
                    sock.sendall(b"GET /live HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
                    self.answered += sock.recv(4096).startswith(b"HTTP/1.1 200")
            except OSError:
                pass
            self.done += 1

    def slow_headers(self):
        """Hundreds of heads that never end, a line at a time."""
        socks = []
        while self.goes_on():
            while len(socks) < SLOW_CLIENTS:
                sock = self.connect()
                sock.sendall(b"GET /live HTTP/1.1\r\n" + HOST)
                socks.append(sock)
                self.done += 1
            self.told_to_end.wait(0.3)
            for sock in list(socks):
                try:
                    sock.sendall(b"X-More: of it\r\n")
                except OSError:
                    sock.close()
                    socks.remove(sock)

    def bodies(self):
        """10 MB each, with their length told, and without."""
        lengths = itertools.cycle([b"Content-Length: %d\r\n\r\n" % BODY_BYTES, CHUNKED])
        while self.goes_on():
            try:
                with self.connect() as sock:
                    sock.sendall(b"POST /api/reload HTTP/1.1\r\n" + HOST + next(lengths))
                    for _ in range(BODY_BYTES // len(BODY)):
                        sock.sendall(b"%x\r\n" % len(BODY) + BODY + b"\r\n")
            except OSError:
                pass
            self.done += 1

    def odd_requests(self):
        for request in itertools.cycle(ODD_REQUESTS):
            if not self.goes_on():
                return
            try:
                with self.connect() as sock:
                    sock.sendall(request)
                    self.answered += bool(sock.recv(4096))
            except OSError:
                pass
            self.done += 1

    def deaf_streams(self):
        """Event streams that are not read, and come again when they are cut."""
        poll, socks = select.poll(), {}
        while self.goes_on():
            while len(socks) < DEAF_CLIENTS:
                sock = self.connect(receive_bytes=4096)
                sock.sendall(b"GET /api/events HTTP/1.1\r\n" + HOST + b"\r\n")
                socks[sock.fileno()] = sock
                poll.register(sock, select.POLLRDHUP)  # and a reset, which comes past what is unread
                self.done += 1
            for fd, _ in poll.poll(300):
                poll.unregister(fd)
                socks.pop(fd).close()

    def events(self):
        """Something for the streams to tell, a hundred a second."""
        path = b"/api/clusters/churned/backends/c1/"
        while self.goes_on():
            with self.connect() as sock:
                for action in (b"trip", b"reset"):
                    sock.sendall(b"POST " + path + action + b" HTTP/1.1\r\n" + HOST + b"\r\n")
                    self.answered += sock.recv(4096).startswith(b"HTTP/1.1 200")
                    self.done += 1
            self.told_to_end.wait(0.02)


def main():
    kind, host, port, *count = sys.argv[1:]
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    attacker = Attacker((host, int(port)), int(count[0]) if count else 0)
    begun = time.monotonic()
    getattr(attacker, kind)()
    seconds = time.monotonic() - begun
    print(json.dumps({"done": attacker.done, "answered": attacker.answered, "seconds": seconds}))


if __name__ == "__main__":
    main()
