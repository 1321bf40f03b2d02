"""The access log as a user's tools read it, and its reasons: how each comes about."""
import re
import socket
import time
from datetime import datetime, timezone

import pytest

from support import requires
from support.backends import Backend, Hanging, Refusing
from support.network import local_ports
from support.sluice import Sluice, front
from support.sockets import connect, outcome, receive_all, reset, session
from support.waiting import eventually

FIELDS = [
    "time",
    "listener",
    "client",
    "cluster",
    "backend",
    "attempts",
    "received",
    "sent",
    "connect_ms",
    "duration_ms",
    "reason",
    "why",
]
TIMEOUT = 0.5
# Coarse ticks: a timeout may be late by one, never early.
TICK = 1.0


def test_a_session_is_one_line_with_every_field(backend):
    begun = datetime.now(timezone.utc)
    with Sluice(front([backend])) as sluice:
        with session(sluice, backend) as (client, server):
            client.sendall(b"12345")
            assert server.recv(5) == b"12345"
            server.sendall(b"1234567")
            assert client.recv(7) == b"1234567"
            where = client.getsockname()
        entry = sluice.eventually_session()
    assert list(entry) == FIELDS
    assert (entry["listener"], entry["cluster"], entry["backend"]) == ("front", "back", "b1")
    assert entry["client"] == f"{where[0]}:{where[1]}"
    assert (entry["received"], entry["sent"], entry["attempts"]) == (5, 7, 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])
    written = datetime.fromisoformat(entry["time"].replace("Z", "+00:00"))
    assert abs((written - begun).total_seconds()) < 10
    assert 0 <= entry["connect_ms"] < 1000 and 0 <= entry["duration_ms"] < 10_000


def test_the_text_format_tells_the_same(backend, tmp_path):
    access = {"file": str(tmp_path / "text.log"), "format": "text"}
    with Sluice(front([backend], access_log=access)) as sluice:
        with session(sluice, backend) as (client, server):
            client.sendall(b"12345")
            assert server.recv(5) == b"12345"
        line = eventually(lambda: (tmp_path / "text.log").read_text(), what="a line")
    assert line.count("\n") == 1
    for word in ("front", "back", "b1", "client_closed", "127.0.0.1:"):
        assert word in line


# Reasons: how each comes about.


def client_closed(client, server):
    client.close()


def backend_closed(client, server):
    server.close()


def client_reset(client, server):
    reset(client)


def backend_reset(client, server):
    reset(server)


@pytest.mark.parametrize("end", [client_closed, backend_closed, client_reset, backend_reset])
def test_whoever_ended_the_session_is_the_reason(backend, end):
    with Sluice(front([backend])) as sluice:
        with session(sluice, backend) as (client, server):
            end(client, server)
            survivor = server if end.__name__.startswith("client") else client
            receive_all(survivor)  # it is told, and closes after that
        assert sluice.eventually_session()["reason"] == end.__name__


@pytest.mark.parametrize(
    "reason, setting",
    [("idle_timeout", {"idle_timeout": "500ms"}), ("max_duration", {"max_duration": "500ms"})],
)
def test_a_session_that_lasts_too_long_is_ended_in_time(backend, reason, setting):
    with Sluice(front([backend], listener=setting)) as sluice, session(sluice, backend) as (
        client,
        server,
    ):
        begun = time.monotonic()
        ends = [receive_all(client), receive_all(server)]
        took = time.monotonic() - begun
        print(f"{reason} after {took:.2f} s")
        assert [data for data, _ in ends] == [b"", b""]
        assert TIMEOUT - 0.05 <= took <= TIMEOUT + TICK
        assert sluice.eventually_session()["reason"] == reason


def test_traffic_keeps_an_idle_timeout_away_and_a_maximum_does_not_care(backend):
    with Sluice(front([backend], listener={"idle_timeout": "600ms"})) as sluice, session(
        sluice, backend
    ) as (client, server):
        begun = time.monotonic()
        while time.monotonic() - begun < 2.5:
            client.sendall(b"x")
            assert server.recv(1) == b"x"
        assert sluice.sessions() == []
    with Sluice(front([backend], listener={"max_duration": "600ms"})) as sluice, session(
        sluice, backend
    ) as (client, server):
        with pytest.raises(OSError):
            while True:
                client.sendall(b"x")
                if server.recv(1) == b"":
                    raise ConnectionResetError
        assert sluice.eventually_session()["reason"] == "max_duration"


@pytest.mark.parametrize("off", ["off", False])
def test_a_timeout_that_is_off_does_not_end_anything(backend, off):
    settings = {"idle_timeout": off, "half_close_timeout": off, "max_duration": off}
    with Sluice(front([backend], listener=settings)) as sluice, session(sluice, backend) as (
        client,
        server,
    ):
        client.shutdown(socket.SHUT_WR)
        assert server.recv(1) == b""
        server.sendall(b"still here")
        assert client.recv(16) == b"still here"
        assert sluice.sessions() == []


@pytest.mark.parametrize("side", ["client", "backend"])
def test_the_second_half_of_a_session_has_a_timeout_of_its_own(backend, side):
    with Sluice(front([backend], listener={"half_close_timeout": "500ms"})) as sluice, session(
        sluice, backend
    ) as (client, server):
        first, second = (client, server) if side == "client" else (server, client)
        first.shutdown(socket.SHUT_WR)
        assert second.recv(1) == b""
        begun = time.monotonic()
        assert receive_all(first)[0] == b""
        assert TIMEOUT - 0.05 <= time.monotonic() - begun <= TIMEOUT + TICK
        assert sluice.eventually_session()["reason"] == "half_close_timeout"


def test_no_backend_and_connect_failed_are_told_apart():
    breaker = {"failure_threshold": 1, "recovery_timeout": "1m"}
    with (
        Refusing("dead") as dead,
        Sluice(front([dead], cluster={"circuit_breaker": breaker})) as sluice,
    ):
        for reason, attempts in (("connect_failed", 1), ("no_backend", 0)):
            assert outcome(sluice.address())[0] == b""
            assert sluice.eventually_session(reason=reason)["attempts"] == attempts


def test_a_deadline_over_all_attempts_ends_a_session_as_connect_failed():
    cluster = {"connect_timeout": "10s", "connect_deadline": "500ms"}
    with Hanging() as backend, Sluice(front([backend], cluster=cluster)) as sluice:
        begun = time.monotonic()
        assert outcome(sluice.address())[0] == b""
        assert TIMEOUT - 0.05 <= time.monotonic() - begun <= TIMEOUT + TICK
        assert sluice.eventually_session()["reason"] == "connect_failed"
        assert sluice.events("breaker") == []


def test_a_drain_that_ends_sessions_says_so(backend):
    with Sluice(front([backend], drain_timeout="200ms")) as sluice, session(sluice, backend):
        assert sluice.finish(within=5) == 0
        assert [entry["reason"] for entry in sluice.sessions()] == ["draining"]


@requires.own_namespace
def test_a_shortage_of_our_own_is_the_reason_resource():
    cluster = {"source_address": "127.0.0.9", "connect_attempts": 1}
    with Backend("banner") as server, Sluice(front([server], workers=1, cluster=cluster)) as sluice:
        with (
            local_ports(51_000, 51_000),
            connect(sluice.address(), source_address=("127.0.0.1", 61_000)) as first,
        ):
            assert first.recv(16) == b"b1\n"
            assert outcome(sluice.address(), source_address=("127.0.0.1", 61_001))[0] == b""
        assert sluice.eventually_session(reason="resource")
