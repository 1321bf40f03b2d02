"""The breaker's small print, one sentence of the contract a test; test_dying_backend has it under
load."""
import socket
import time

import pytest

from support import requires
from support.backends import Backend, Hanging, Refusing
from support.network import ConnectCounter
from support.probed import Probed
from support.sluice import Sluice, front
from support.sockets import REFUSED, connect, greeting, outcome, receive_all
from support.waiting import always

THRESHOLD = 5
FIVE = {"circuit_breaker": {"failure_threshold": THRESHOLD, "recovery_timeout": "1s", "jitter": 0}}
ONE = {"circuit_breaker": {"failure_threshold": 1, "recovery_timeout": "1s", "jitter": 0}}
RECOVERY = 1.0
CONNECT_TIMEOUT = 0.3
HURRIED = {"connect_timeout": "300ms", "connect_attempts": 1}
CLOCK_SLACK = 0.02


def test_a_success_sets_the_count_of_failures_to_zero():
    three = {"circuit_breaker": {"failure_threshold": 3}, "connect_attempts": 1}
    with Probed(speaks_first=b"b1") as server, Sluice(front([server], cluster=three)) as sluice:
        for _ in range(4):
            server.shut()
            assert [outcome(sluice.address()) for _ in range(2)] == [REFUSED, REFUSED]
            server.open()
            assert greeting(sluice.address()) == "b1"
        assert sluice.events("breaker") == []
        server.shut()
        assert [outcome(sluice.address()) for _ in range(3)] == 3 * [REFUSED]
        sluice.eventually_event("breaker", to="open")


def test_a_breaker_is_not_ignored_in_panic():
    """Panic sets aside what probes say, never what clients met."""
    cluster = {
        **ONE,
        "panic_threshold": 100,
        "connect_attempts": 1,
        "health_check": {"interval": "200ms", "unhealthy_interval": "200ms", "timeout": "100ms"},
    }
    with Refusing() as dead, Refusing() as checked:
        backend = {"address": dead.address, "name": "dead", "health_check_port": checked.port}
        with Sluice(front([backend], cluster=cluster)) as sluice:
            sluice.eventually_event("health", to="unhealthy")
            assert outcome(sluice.address()) == REFUSED
            sluice.eventually_event("breaker", to="open")
            assert outcome(sluice.address()) == REFUSED
            assert sluice.eventually_session(reason="connect_failed")["attempts"] == 1
            assert sluice.eventually_session(reason="no_backend")["attempts"] == 0


def test_an_early_end_of_established_sessions_does_not_count():
    """Only failed connects do: a backend that hangs up on everybody is still connected to."""
    with (
        Backend("source", stream_bytes=0) as server,
        Sluice(front([server], cluster=FIVE)) as sluice,
    ):
        for _ in range(4 * THRESHOLD):
            assert outcome(sluice.address()) == (b"", "fin")
        sluice.eventually(lambda: sluice.session_count() == 4 * THRESHOLD)
        assert sluice.events("breaker") == []


def test_a_hanging_backend_alone_costs_its_clients_the_connect_timeout_and_no_more():
    with Hanging() as server, Sluice(front([server], cluster=HURRIED)) as sluice:
        begun = time.monotonic()
        assert outcome(sluice.address()) == (b"", "reset")
        assert CONNECT_TIMEOUT - CLOCK_SLACK <= time.monotonic() - begun < CONNECT_TIMEOUT + 1
        assert sluice.eventually_session(reason="connect_failed")["attempts"] == 1


@requires.firewall
def test_an_open_breaker_stays_open_without_traffic_and_without_probes():
    """Nobody asks, nobody is tried: waking up without traffic is the probes' doing."""
    with Refusing() as dead, Sluice(front([dead], cluster=ONE)) as sluice:
        connects = ConnectCounter(dead.port)
        assert outcome(sluice.address()) == (b"", "reset")
        sluice.eventually_event("breaker", to="open")
        tried = connects.count
        always(
            lambda: connects.count == tried,
            during=RECOVERY + 0.5,
            what="no connect without a client",
        )


@pytest.mark.parametrize("accepting", [True, False])
def test_a_full_backlog_of_a_unix_backend_is_tried_again_until_the_connect_timeout(
    tmp_path, accepting
):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as filler:
        listener.bind(str(tmp_path / "backend"))
        listener.listen(0)
        filler.connect(str(tmp_path / "backend"))
        with (
            Sluice(
                front([f"unix:{tmp_path}/backend"], cluster={"connect_timeout": "1s"})
            ) as sluice,
            connect(sluice.address()) as client,
        ):
            begun = time.monotonic()
            always(
                lambda: sluice.sessions() == [],
                during=0.4,
                what="one full backlog is not a failure",
            )
            if accepting:
                listener.accept()[0].close()
                listener.settimeout(2)
                served = listener.accept()[0]
                served.sendall(b"at last")
                assert client.recv(16) == b"at last"
                served.close()
            else:
                assert receive_all(client) == (b"", "reset")
                assert time.monotonic() - begun >= 1 - CLOCK_SLACK
                assert sluice.eventually_session()["reason"] == "connect_failed"


def test_three_successes_in_a_row_close_a_breaker_that_asks_for_three():
    breaker = {
        "failure_threshold": 1,
        "recovery_timeout": "200ms",
        "jitter": 0,
        "success_threshold": 3,
    }
    with (
        Backend("banner", name="b1") as server,
        Sluice(
            front([server], cluster={"circuit_breaker": breaker, "connect_attempts": 1})
        ) as sluice,
    ):
        server.kill()
        assert outcome(sluice.address()) == (b"", "reset")
        sluice.eventually_event("breaker", to="open")
        server.start()
        sluice.eventually(lambda: greeting(sluice.address()) == "b1", what="the first trial")
        assert sluice.events("breaker", to="closed") == []
        assert [greeting(sluice.address()), greeting(sluice.address())] == ["b1", "b1"]
        sluice.eventually_event("breaker", to="closed")
