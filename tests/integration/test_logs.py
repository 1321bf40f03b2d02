"""The access log as a user's tools read it, its reasons, the process log, and log rotation."""
import fcntl
import json
import os
import re
import signal
import socket
import time
from datetime import datetime, timezone

import pytest

from support import kernel
from support.backends import Backend, Hanging, Refusing
from support.network import local_ports
from support import requires
from support.sluice import Sluice, front
from support.sockets import connect, listen, outcome, receive_all, reset, session
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


@pytest.fixture
def backend():
    with listen() as listening:
        yield listening


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


# Rotation and the process log.


def test_sigusr1_reopens_the_access_log_and_loses_no_line(backend):
    with Sluice(front([backend])) as sluice:
        kept = sluice.directory / "access.log.1"
        for number in range(30):
            with session(sluice, backend):
                pass
            if number == 14:
                sluice.access_log.rename(kept)
                sluice.signal(signal.SIGUSR1)
        eventually(lambda: sluice.access_log.exists(), what="a new file")
        with session(sluice, backend):
            pass
        sluice.eventually(lambda: sluice.session_count() >= 1)
        eventually(
            lambda: len(kept.read_text().splitlines()) + sluice.session_count() == 31,
            what="31 lines in all",
        )
        assert str(kept) not in open_files(sluice.pid)


def open_files(pid):
    return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]


def test_sigusr1_reopens_the_process_log(tmp_path):
    log = tmp_path / "sluice.log"
    with Sluice({**front([]), "log": {"format": "json", "file": str(log)}}, wait=False) as sluice:
        eventually(lambda: log.exists() and '"ready"' in log.read_text(), what="ready, in the file")
        log.rename(tmp_path / "old")
        sluice.signal(signal.SIGUSR1)
        eventually(log.exists, what="a new file")


def test_without_rotation_lines_go_on_into_the_old_file(backend):
    with Sluice(front([backend])) as sluice:
        kept = sluice.directory / "access.log.1"
        with session(sluice, backend):
            pass
        sluice.eventually(lambda: sluice.session_count() == 1)
        sluice.access_log.rename(kept)
        with session(sluice, backend):
            pass
        eventually(
            lambda: len(kept.read_text().splitlines()) == 2, what="the second line in the old file"
        )
        assert not sluice.access_log.exists()


def test_every_line_of_the_process_log_is_json_when_it_is_asked_for():
    with Refusing() as dead, Sluice(front([dead], cluster={"health_check": {}})) as sluice:
        sluice.eventually_event("health", to="unhealthy")
        sluice.finish()
        for line in sluice.stderr().splitlines():
            entry = json.loads(line)
            assert {"time", "level", "message", "event"} <= set(entry), line
            for key, value in entry.items():
                is_number = key.endswith("_ms") or key in ("workers", "max_connections", "sessions")
                assert type(value) is (int if is_number else str), line


def test_listening_ready_and_draining_are_told():
    with Sluice(front([])) as sluice:
        assert sluice.address()[1] > 0
        assert kernel.listening_sockets(sluice.address()[1])
        sluice.finish()
        events = [entry.get("event") for entry in sluice.log() if entry.get("event")]
        assert events.index("listening") < events.index("ready") < events.index("draining")


def test_the_log_level_filters():
    with (
        Refusing() as dead,
        Sluice({**front([dead]), "log": {"format": "json", "level": "error"}}, wait=False) as quiet,
        Sluice(front([dead])) as loud,
    ):
        assert loud.log()
        loud.finish()
        eventually(lambda: kernel.thread_count(quiet.pid) > 1, what="it runs")
        assert [entry for entry in quiet.log() if entry["level"] in ("info", "warning")] == []


# Logs that cannot be written.


def test_a_full_disk_is_named_at_the_latest_when_sluice_ends(backend):
    conf = {**front([backend]), "access_log": {"file": "/dev/full", "format": "json"}}
    with Sluice(conf) as sluice:
        for _ in range(3):
            with session(sluice, backend):
                pass
        sluice.finish()
        told = sluice.events("log_dropped", log="access")
        assert sum(entry["lines"] for entry in told) == 3
        assert {entry["why"] for entry in told} == {"No space left on device"}


def test_a_log_whose_reader_hangs_does_not_keep_sluice_from_ending(backend, tmp_path):
    fifo = tmp_path / "access"
    os.mkfifo(fifo)
    hung = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    # A pipe of one page is full at once.
    fcntl.fcntl(hung, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with Sluice({**front([backend]), "access_log": {"file": str(fifo)}}) as sluice:
            for _ in range(40):
                with session(sluice, backend):
                    pass
            begun = time.monotonic()
            assert sluice.finish() == 0
            assert time.monotonic() - begun < 5
            told = sluice.events("log_dropped", log="access")
            lost = sum(entry["lines"] for entry in told)
            assert lost > 0
            assert os.read(hung, 1 << 20).count(b"\n") + lost == 40
    finally:
        os.close(hung)


# What is held back.


def test_a_backend_that_flaps_is_seen_flapping_and_fills_no_log():
    breaker = {"failure_threshold": 1, "recovery_timeout": "10ms", "max_recovery_timeout": "10ms"}
    cluster = {"circuit_breaker": breaker, "connect_attempts": 1}
    with Refusing("dead") as dead, Sluice(front([dead], cluster=cluster)) as sluice:

        def a_failed_trial():
            outcome(sluice.address())
            return len(sluice.sessions(reason="connect_failed")) >= 60

        sluice.eventually(a_failed_trial, within=30, what="60 failed trials")
        said = sluice.transitions("breaker")
        assert len(said) == 10 and said[0] == ("closed", "open")
        assert not [entry for entry in sluice.events("breaker") if "held_back" in entry]
        sluice.finish()
        last = sluice.events("breaker")[10:]
        assert len(last) == 1, "the last word on it"
        assert last[0]["held_back"] >= 100 and last[0]["ago_ms"] >= 0


def test_a_thousand_backends_that_die_at_once_are_counted_if_not_all_told():
    count = 1000
    dead = [{"name": f"b{n}", "address": f"127.1.{n // 250}.{n % 250 + 1}:9"} for n in range(count)]
    probes = {"interval": "1h", "unhealthy_interval": "1h", "timeout": "5s"}
    with Sluice(front(dead, cluster={"health_check": probes})) as sluice:

        def told():
            held = sluice.events("held_back", of="health")
            return len(sluice.events("health")) + sum(entry["lines"] for entry in held)

        sluice.eventually(lambda: told() == count, within=40, what="all of them are accounted for")
        assert len(sluice.events("health")) <= count * 0.9
        assert sluice.events("held_back")


def test_a_second_sigterm_says_what_it_does(backend):
    with Sluice(front([backend], drain_timeout="1m")) as sluice, session(sluice, backend):
        sluice.signal(signal.SIGTERM)
        sluice.eventually_event("draining")
        assert not sluice.events("cutting")
        sluice.signal(signal.SIGTERM)
        assert sluice.wait(within=5) == 0
        assert sluice.events("cutting")[0]["sessions"] == 1
