"""A node with a configuration beside it: its clusters are those that the listeners use, so what a
message reports and what connections find out is one truth."""
import json
import socket

import pytest
from support.sluice import EXECUTABLE
from support.waiting import eventually

from world import messages
from world.node_process import NodeProcess

SECONDS = 15


class Fronting:
    """`sluice maelstrom -c`, one listener and one backend, both unix sockets."""

    def __init__(self, directory, **breaker):
        self.listener, self.backend = str(directory / "front"), str(directory / "back")
        web = {
            "name": "web",
            "backends": [{"name": "b1", "address": "unix:" + self.backend}],
            "health_check": "off",
            "connect_attempts": 1,
            "circuit_breaker": breaker or {"recovery_timeout": "1h", "max_recovery_timeout": "1h"},
        }
        front = {"name": "front", "address": "unix:" + self.listener, "cluster": "web"}
        conf = directory / "conf.json"
        conf.write_text(
            json.dumps({"drain_timeout": "300ms", "listeners": [front], "clusters": [web]})
        )
        self.node = NodeProcess([EXECUTABLE, "maelstrom", "-c", str(conf)])
        self._asked = 1

    def __enter__(self):
        self.node.write(messages.init().encode() + b"\n")
        assert self._next()["type"] == "init_ok"
        return self

    def __exit__(self, failure, *_):
        try:
            if failure is None:
                self.node.finish()
        finally:
            self.node.kill()

    def ask(self, kind, **fields):
        self._asked += 1
        self.node.write(messages.request(kind, self._asked, **fields).encode() + b"\n")
        answer = self._next()
        assert answer["in_reply_to"] == self._asked
        return answer

    def status(self):
        [backend] = self.ask("status", cluster="web")["backends"]
        return backend

    def visit(self):
        """A client's connection that sends `ping`: what it gets before it is ended."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(SECONDS)
            client.connect(self.listener)
            try:
                client.sendall(b"ping")
                return client.recv(100)
            except (ConnectionResetError, BrokenPipeError):
                return b""

    def _next(self):
        [line] = eventually(self.node.lines, within=SECONDS, what=self.node.tail)
        return messages.read(line)["body"]


@pytest.fixture
def server():
    """Makes a backend that says `pong` once to each of the next connections."""
    sockets = []

    def listen(path):
        listening = socket.socket(socket.AF_UNIX)
        sockets.append(listening)
        listening.bind(path)
        listening.listen()
        listening.settimeout(SECONDS)
        return listening

    yield listen
    for one in sockets:
        one.close()


def test_connections_that_fail_open_the_breaker_that_status_tells_of(tmp_path):
    with Fronting(tmp_path) as front:
        assert front.status() == {
            "name": "b1",
            "health": "unknown",
            "breaker": "closed",
            "consecutive_failures": 0,
            "opens": 0,
        }
        for _ in range(5):
            assert front.visit() == b""
        eventually(lambda: front.status()["breaker"] == "open", what=front.node.tail)
        assert front.status()["opens"] == 1
        assert front.ask("route", cluster="web")["code"] == messages.UNAVAILABLE


def test_failures_that_are_reported_keep_connections_away(tmp_path, server):
    with Fronting(tmp_path) as front:
        listening = server(front.backend)
        for _ in range(5):
            last = front.ask("report", cluster="web", backend="b1", success=False)
        assert (last["state"], last["consecutive_failures"]) == ("open", 5)
        assert front.visit() == b""
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_after_the_recovery_time_a_connection_is_the_trial_and_closes_it(tmp_path, server):
    with Fronting(tmp_path, failure_threshold=2, recovery_timeout="100ms") as front:
        listening = server(front.backend)
        for _ in range(2):
            front.ask("report", cluster="web", backend="b1", success=False)
        eventually(lambda: front.status()["breaker"] == "half_open", what=front.node.tail)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(front.listener)
            client.sendall(b"ping")
            served, _ = listening.accept()
            with served:
                assert served.recv(4) == b"ping"
                served.sendall(b"pong")
                assert client.recv(4) == b"pong"
        assert front.status()["breaker"] == "closed"


def test_the_list_of_a_cluster_that_listeners_use_is_the_configurations(tmp_path):
    with Fronting(tmp_path) as front:
        assert front.ask("backends", cluster="web", backends=["x"])["type"] == "error"
        assert front.status()["name"] == "b1"


def test_a_cluster_that_is_not_there_is_error_12(tmp_path):
    with Fronting(tmp_path) as front:
        for kind in ("status", "route"):
            assert front.ask(kind, cluster="nobody")["code"] == messages.MALFORMED


def test_the_node_itself_goes_on_beside_it(tmp_path):
    with Fronting(tmp_path) as front:
        assert front.ask("echo", echo={"a": 1})["echo"] == {"a": 1}
