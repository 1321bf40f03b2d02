"""The Maelstrom node with TCP listeners beside it."""
import json
import signal
import socket

import pytest

from support.backends import Backend
from support.node import SECONDS, Node
from support.sluice import front
from support.sockets import REFUSED, greeting, outcome
from support.waiting import eventually


@pytest.fixture
def configuration(tmp_path):
    def write(conf):
        file = tmp_path / "conf.json"
        file.write_text(json.dumps({"log": {"format": "json"}, **conf}))
        return str(file)

    return write


def listening(node):
    eventually(lambda: node.events("ready"), within=SECONDS, what="it is ready")
    host, port = node.events("listening")[0]["address"].rsplit(":", 1)
    return (host, int(port))


def test_with_a_configuration_the_listeners_are_fronted_and_their_clusters_told_of(configuration):
    with Backend("banner", name="b1") as backend:
        file = configuration(front([backend]))
        with Node("-c", file) as node:
            address = listening(node)
            node.init()
            assert greeting(address)
            [told] = node.ask("status", cluster="back")["backends"]
            assert (told["name"], told["breaker"]) == ("b1", "closed")
            # What messages report and what connections find out is one truth.
            for _ in range(5):
                last = node.ask("report", cluster="back", backend="b1", success=False)
            assert last["state"] == "open"
            assert outcome(address) == REFUSED
            assert node.ask("route", cluster="back")["code"] == 11
            assert node.ask("backends", cluster="back", backends=["x"])["code"] == 12
            assert node.finish() == 0


def test_connections_that_fail_open_the_circuit_that_messages_see(configuration):
    with Backend("banner", name="b1") as backend:
        backend.kill()
        cluster = {"connect_attempts": 1, "circuit_breaker": {"failure_threshold": 2}}
        with Node("-c", configuration(front([backend], cluster=cluster))) as node:
            address = listening(node)
            node.init()
            for _ in range(2):
                outcome(address)
            [told] = node.ask("status", cluster="back")["backends"]
            assert (told["breaker"], told["opens"]) == ("open", 1)


def test_it_drains_at_the_end_of_input_and_at_a_signal(configuration):
    with Backend("echo", name="b1") as backend:
        file = configuration(front([backend]))
        for stop in ("input", signal.SIGTERM):
            with Node("-c", file) as node:
                address = listening(node)
                node.init()
                with socket.create_connection(address) as client:
                    client.sendall(b"ping")
                    assert client.recv(4) == b"ping"
                    if stop == "input":
                        assert node.finish() == 0
                    else:
                        node.process.send_signal(stop)
                        assert node.process.wait(SECONDS) == 0
                assert node.events("stopped")


def test_stdout_is_for_messages_only(configuration):
    for conf in ({"access_log": {"file": "stdout"}}, {"log": {"file": "stdout"}}):
        file = configuration({**front(["127.0.0.1:9"]), **conf})
        with Node("-c", file) as node:
            assert node.process.wait(SECONDS) == 1
            assert "stdout" in node.errors()


def test_an_address_in_use_is_exit_status_3(configuration):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        conf = front(["127.0.0.1:9"], listener={"address": "127.0.0.1:%d" % taken.getsockname()[1]})
        with Node("-c", configuration(conf)) as node:
            assert node.process.wait(SECONDS) == 3


def test_with_a_manual_clock_nothing_listens(configuration):
    conf = front(["127.0.0.1:9"], cluster={"circuit_breaker": {"recovery_timeout": "7s"}})
    with Node("--manual-clock", "-c", configuration(conf)) as node:
        node.init()
        for _ in range(5):
            node.ask("report", cluster="back", backend="127.0.0.1:9", success=False)
        node.ask("advance", ms=6_999)
        assert node.ask("route", cluster="back")["code"] == 11
        node.ask("advance", ms=1)
        assert node.ask("route", cluster="back")["trial"] is True
        assert node.events("listening") == []
