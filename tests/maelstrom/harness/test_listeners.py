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

    def __init__(self, directory, health_check="off", **breaker):
        self.listener, self.backend = str(directory / "front"), str(directory / "back")
        web = {
            "name": "web",
            "backends": [{"name": "b1", "address": "unix:" + self.backend}],
            "health_check": health_check,
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

    def replace(self, *backends):
        answer = self.ask("backends", cluster="web", backends=backends)
        assert answer["type"] == "backends_ok", answer

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(SECONDS)
        client.connect(self.listener)
        return client

    def visit(self):
        """A client's connection that sends `ping`: what it gets before it is ended."""
        with self.connect() as client:
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
    """Makes a backend's listening socket at a path."""
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


def carries(client, served, text):
    """Both ways."""
    for sender, receiver in ((client, served), (served, client)):
        sender.sendall(text)
        if receiver.recv(len(text)) != text:
            return False
    return True


def is_called(listening):
    """Whether somebody waits to be accepted, who then is."""
    listening.setblocking(False)
    try:
        listening.accept()[0].close()
        return True
    except BlockingIOError:
        return False
    finally:
        listening.settimeout(SECONDS)


def test_new_connections_go_by_a_new_list_and_the_old_ones_go_on(tmp_path, server):
    with Fronting(tmp_path) as front:
        old, new = server(front.backend), server(str(tmp_path / "new"))
        with front.connect() as early, old.accept()[0] as early_served:
            assert carries(early, early_served, b"before")
            for _ in range(30):
                for name, chosen, other in ((f"unix:{tmp_path}/new", new, old), ("b1", old, new)):
                    front.replace(name)
                    with front.connect() as client, chosen.accept()[0] as served:
                        assert carries(client, served, b"after")
                    assert not is_called(other)
            assert carries(early, early_served, b"still")


def test_who_stays_in_a_new_list_keeps_its_state(tmp_path):
    with Fronting(tmp_path) as front:
        for _ in range(4):
            front.ask("report", cluster="web", backend="b1", success=False)
        front.replace(f"unix:{tmp_path}/other", "b1")
        other, b1 = front.ask("status", cluster="web")["backends"]
        assert (other["name"], other["consecutive_failures"]) == (f"unix:{tmp_path}/other", 0)
        assert (b1["name"], b1["consecutive_failures"]) == ("b1", 4)
        assert front.ask("report", cluster="web", backend="b1", success=False)["state"] == "open"
        front.replace("b1")
        assert front.status()["breaker"] == "open"
        front.replace(f"unix:{tmp_path}/other")
        front.replace("b1")
        assert front.status()["breaker"] == "closed", "it had gone and has come anew"


def test_probes_follow_the_list(tmp_path, server):
    often = {"interval": "20ms", "unhealthy_interval": "20ms", "timeout": "10ms"}
    with Fronting(tmp_path, health_check=often) as front:
        old, new = server(front.backend), server(str(tmp_path / "new"))
        eventually(lambda: front.status()["health"] == "healthy", what=front.node.tail)
        front.replace(f"unix:{tmp_path}/new")
        eventually(lambda: front.status()["health"] == "healthy", what=front.node.tail)
        while is_called(old):
            pass
        for _ in range(10):
            new.accept()[0].close()
        assert not is_called(old)


def test_an_empty_list_refuses_clients_until_there_is_another(tmp_path, server):
    with Fronting(tmp_path) as front:
        listening = server(front.backend)
        front.replace()
        assert front.visit() == b""
        front.replace("b1")
        with front.connect() as client, listening.accept()[0] as served:
            assert carries(client, served, b"back")


@pytest.mark.parametrize("backends", [["x"], ["b1", "127.0.0.1"], ["127.0.0.1:0"], "b1", [7]])
def test_a_list_that_is_none_is_error_12_and_changes_nothing(tmp_path, backends):
    with Fronting(tmp_path) as front:
        answer = front.ask("backends", cluster="web", backends=backends)
        assert answer["code"] == messages.MALFORMED
        assert front.status()["name"] == "b1"


def test_a_list_given_with_the_last_line_is_still_answered(tmp_path):
    with Fronting(tmp_path) as front:
        line = messages.request("backends", 99, cluster="web", backends=["b1"])
        front.node.write(line.encode() + b"\n")
        front.node.finish()
        [answer] = front.node.lines()
        body = messages.read(answer)["body"]
        assert (body["type"], body["in_reply_to"]) == ("backends_ok", 99)


def test_a_cluster_that_is_not_there_is_error_12(tmp_path):
    with Fronting(tmp_path) as front:
        for kind in ("status", "route"):
            assert front.ask(kind, cluster="nobody")["code"] == messages.MALFORMED


def test_the_node_itself_goes_on_beside_it(tmp_path):
    with Fronting(tmp_path) as front:
        assert front.ask("echo", echo={"a": 1})["echo"] == {"a": 1}
