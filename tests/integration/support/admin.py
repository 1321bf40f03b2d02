"""The admin API as a program uses it: plain HTTP, in the test's own hands where it must be odd."""
import contextlib
import http.client
import json
import socket
import threading
from typing import NamedTuple
from urllib.parse import quote

from support.sluice import front

SECONDS = 10
ADMIN = {"admin": {"address": "127.0.0.1:0"}}
TOKEN = "correct-horse-battery-staple"


def with_admin(servers, **settings):
    return front(servers, **{**ADMIN, **settings})


def with_token(directory, token=TOKEN):
    """The settings of an admin side with a token, in a file of that directory."""
    path = directory / "token"
    path.write_text(token + "\n")
    return {"admin": {"address": "127.0.0.1:0", "token_file": str(path)}}


class Answer(NamedTuple):
    status: int
    headers: dict
    text: str

    @property
    def json(self):
        return json.loads(self.text)


def parse(heard):
    """The first answer in these bytes; nothing when there is none."""
    head, _, body = heard.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not lines[0].startswith("HTTP/1."):
        return None
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return Answer(int(lines[0].split()[1]), headers, body.decode("latin-1"))


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Admin:
    """Of a running Sluice, found by its log. One connection a request, from `source` if given."""

    def __init__(self, sluice, token=None, source=None):
        self.sluice, self.token, self.source = sluice, token, source
        self.address = sluice.eventually_event("admin_listening")["address"]

    @property
    def host_and_port(self):
        host, port = self.address.rsplit(":", 1)
        return host.strip("[]"), int(port)

    def connection(self, within=SECONDS):
        if self.address.startswith("unix:"):
            return UnixConnection(self.address[5:], within)
        source = None if self.source is None else (self.source, 0)
        return http.client.HTTPConnection(
            *self.host_and_port, timeout=within, source_address=source
        )

    def request(self, method, target, headers=None, body=None, within=SECONDS):
        headers = dict(headers or {})
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        connection = self.connection(within)
        try:
            connection.request(method, target, body=body, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
        finally:
            connection.close()

    def get(self, target, **options):
        """The JSON of an answer that must be 200."""
        answer = self.request("GET", target, **options)
        assert answer.status == 200, answer
        return answer.json

    def post(self, target, **options):
        answer = self.request("POST", target, **options)
        assert answer.status in (200, 202), answer
        return answer.json

    def act(self, action, backend, cluster="back", **options):
        path = f"/api/clusters/{quote(cluster, safe='')}/backends/{quote(backend, safe='')}/{action}"
        return self.post(path, **options)

    def backend(self, name, cluster="back"):
        for one in self.get("/api/clusters")["clusters"]:
            for backend in one["backends"]:
                if (one["name"], backend["name"]) == (cluster, name):
                    return backend
        raise AssertionError(f"no backend {name} in {cluster}")

    def sessions(self, limit=1000):
        return self.get(f"/api/sessions?limit={limit}")["sessions"]

    def raw(self, within=SECONDS):
        """A socket to it."""
        if self.address.startswith("unix:"):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(within)
            sock.connect(self.address[5:])
            return sock
        return socket.create_connection(self.host_and_port, timeout=within)

    def say(self, request, within=SECONDS):
        """Whatever comes back for these bytes up to the end of the connection."""
        heard = b""
        with self.raw(within) as sock:
            try:
                sock.sendall(request)
                while piece := sock.recv(65536):
                    heard += piece
            except ConnectionError:
                pass
        return heard


class Events:
    """Follows /api/events on a thread; .events are those so far, as dictionaries with `id` and
    `event` beside their data."""

    def __init__(self, admin, last_id=None):
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        if admin.token is not None:
            headers["Authorization"] = f"Bearer {admin.token}"
        self._connection = admin.connection(within=60)
        self._connection.request("GET", "/api/events", headers=headers)
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200
        self.content_type = self._answer.getheader("Content-Type")
        self.events = []
        self.ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # The other side may have ended it already.
        with contextlib.suppress(OSError):
            if self._connection.sock is not None:
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    @property
    def transitions(self):
        return [event for event in list(self.events) if event["event"] == "transition"]

    def _read(self):
        current = {}
        try:
            for line in self._answer:
                line = line.decode().rstrip("\n")
                name, _, value = line.partition(": ")
                if name in ("id", "event"):
                    current[name] = value
                elif name == "data":
                    current.update(json.loads(value))
                elif line == "" and "event" in current:
                    self.events.append(current)
                    current = {}
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass
        finally:
            self.ended.set()
