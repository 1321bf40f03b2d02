"""One backend of three dies under load, in three ways: killed, hanging, its address a black hole.

Connects are counted at the backend's address by the kernel, arrivals by the backend; clients are
another process.
"""
import socket
import time
from contextlib import contextmanager

import pytest

from support import pattern, requires
from support.admin import Admin
from support.backends import Backend, Hanging, Refusing, backends
from support.load import UNDER_LOAD, UNDER_LOAD_RATE_MIN, Load
from support.network import ConnectCounter, black_hole
from support.sluice import Sluice, front
from support.sockets import InBackground, connect, receive_all, reset
from support.waiting import eventually

THRESHOLD = 5
RECOVERY = 1.0
BREAKER = {
    "failure_threshold": THRESHOLD,
    "recovery_timeout": "1s",
    "max_recovery_timeout": "8s",
    "jitter": 0,
}
CONNECT_TIMEOUT = 0.3
# Clients accepted in one turn have their connects under way together, on each of two workers.
TIES_MAX = 10
CLOCK_SLACK = 0.02
# What is left of a wait when its line is written.
LOG_DELAY_MS = 50

pytestmark = requires.firewall


def conf(servers, breaker=BREAKER, **cluster):
    return front(
        servers,
        workers=2,
        cluster={
            "connect_timeout": "300ms",
            "circuit_breaker": breaker,
            "health_check": "off",
            **cluster,
        },
    )


def monotonic_of(entry):
    """When a log line was written, on the clock that backends and clients use."""
    stamp = entry["time"]
    seconds = time.mktime(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    return seconds + float("0" + stamp[19:].rstrip("Z")) - time.time() + time.monotonic()


def assert_under_load(result):
    assert result["rate"] >= UNDER_LOAD_RATE_MIN, f"only {result['rate']:.0f} sessions/s"


def assert_only_those_connected_were_hurt(result, died):
    late = [error for error in result["errors"] if error["begun"] > died]
    assert late == [], f"of {result['sessions']}"
    assert len(result["errors"]) <= UNDER_LOAD["clients"]


def wait_for_arrivals(backend, more=50):
    before = len(backend.arrivals())
    eventually(
        lambda: len(backend.arrivals()) >= before + more,
        within=10,
        what=f"traffic at {backend.name}",
    )


def test_a_killed_backend_is_left_alone_after_five_failures_and_gets_one_trial_on_return():
    with (
        backends(3) as servers,
        Sluice(conf(servers)) as sluice,
        Load(sluice.address(), **UNDER_LOAD) as load,
    ):
        victim = servers[0]
        wait_for_arrivals(victim)
        victim.kill()
        connects, died = ConnectCounter(victim.port), time.monotonic()
        opened = sluice.eventually_event("breaker", backend="b1", to="open")
        after_open = connects.count
        assert abs(opened["retry_in_ms"] - RECOVERY * 1000) <= LOG_DELAY_MS
        victim.start()
        begun = monotonic_of(opened)
        closed = sluice.eventually_event("breaker", within=5, backend="b1", to="closed")
        wait_for_arrivals(victim)
        result = load.stop()
        assert_under_load(result)
        assert_only_those_connected_were_hurt(result, died)
        assert after_open <= THRESHOLD + TIES_MAX
        assert sluice.transitions("breaker", "b1") == [
            ("closed", "open"),
            ("open", "half_open"),
            ("half_open", "closed"),
        ]
        since_open = [at for at in victim.arrivals() if at > begun]
        print(
            f"first arrival {since_open[0] - begun:.3f} s after the breaker opened,"
            f" {result['rate']:.0f} sessions/s"
        )
        assert since_open[0] >= begun + RECOVERY - CLOCK_SLACK
        before_closing = [at for at in since_open if at < monotonic_of(closed) - CLOCK_SLACK]
        assert len(before_closing) <= 1, "one trial, then everybody"


def test_of_clients_one_after_another_exactly_the_threshold_meets_a_dead_backend():
    breaker = {**BREAKER, "recovery_timeout": "1m", "max_recovery_timeout": "1m"}
    with backends(3) as servers, Sluice(conf(servers, breaker=breaker)) as sluice:
        servers[0].kill()
        connects = ConnectCounter(servers[0].port)
        for number in range(30):
            with connect(sluice.address()) as client:
                client.sendall(b"%02d" % number)
                assert client.recv(2) == b"%02d" % number
        sluice.eventually(lambda: sluice.session_count() == 30)
        assert connects.count == THRESHOLD
        assert len([entry for entry in sluice.sessions() if entry["attempts"] == 2]) == THRESHOLD
        assert sluice.transitions("breaker", "b1") == [("closed", "open")]


def test_with_the_breaker_off_a_killed_backend_goes_on_being_tried():
    with (
        backends(3) as servers,
        Sluice(conf(servers, breaker="off")) as sluice,
        Load(sluice.address(), **UNDER_LOAD) as load,
    ):
        wait_for_arrivals(servers[0])
        servers[0].kill()
        connects = ConnectCounter(servers[0].port)
        eventually(
            lambda: connects.count > 20 * THRESHOLD, what="connects to the dead backend go on"
        )
        load.stop()
        assert sluice.events("breaker") == []


@contextmanager
def hanging(server):
    """It listens on its port and accepts nothing."""
    server.kill()
    with Hanging(port=server.port):
        yield
    server.start()


@contextmanager
def unreachable(server):
    with black_hole(server.port):
        yield


@pytest.mark.parametrize("ailment", [hanging, unreachable])
def test_a_silent_backend_opens_its_breaker_and_each_trial_is_one_connect(ailment):
    """A trial that hangs is the one moment at which a second one would show."""
    with (
        backends(3) as servers,
        Sluice(conf(servers)) as sluice,
        Load(sluice.address(), **UNDER_LOAD) as load,
    ):
        victim = servers[0]
        wait_for_arrivals(victim)
        begun = time.monotonic()
        with ailment(victim):
            connects = ConnectCounter(victim.port)
            hurt_until = time.monotonic()
            sluice.eventually_event("breaker", backend="b1", to="open")
            # Those already on their way run to their verdict; a lost SYN is repeated after 1 s,
            # later than that.
            under_way = connects.count
            assert under_way <= (CONNECT_TIMEOUT + 0.2) * UNDER_LOAD["rate"]
            failed_trials = sluice.eventually(
                lambda: len(sluice.events("breaker", backend="b1", to="open")) == 3,
                within=8,
                what="two failed trials",
            )
            assert failed_trials and connects.count == under_way + 2
            waits = [
                entry["retry_in_ms"] for entry in sluice.events("breaker", backend="b1", to="open")
            ]
            assert all(
                abs(wait - expected) <= LOG_DELAY_MS
                for wait, expected in zip(waits, [1000, 2000, 4000])
            ), f"every failed trial doubles the wait: {waits}"
        sluice.eventually_event("breaker", within=8, backend="b1", to="closed")
        wait_for_arrivals(victim)
        result = load.stop()
        print(
            f"{under_way} connects before it opened, {result['rate']:.0f} sessions/s,"
            f" {time.monotonic() - begun:.1f} s"
        )
        assert_under_load(result)
        assert_only_those_connected_were_hurt(result, hurt_until)
        assert sluice.fd_count() < 100


@pytest.mark.parametrize("ailment", [hanging, unreachable])
def test_with_the_breaker_off_a_silent_backend_goes_on_being_tried(ailment):
    with (
        backends(3) as servers,
        Sluice(conf(servers, breaker="off")) as sluice,
        Load(sluice.address(), **UNDER_LOAD) as load,
    ):
        wait_for_arrivals(servers[0])
        with ailment(servers[0]):
            connects = ConnectCounter(servers[0].port)
            eventually(lambda: connects.count > 300, within=10, what="connects to it go on")
        load.stop()


def test_impatient_clients_open_the_breaker_of_a_black_hole_all_the_same():
    """Their connects run to a verdict although every client left long before it."""
    with Backend("echo") as server, black_hole(server.port), Sluice(conf([server])) as sluice:
        connects = ConnectCounter(server.port)
        with Load(sluice.address(), clients=64, rate=600, patience=0.02) as load:
            sluice.eventually_event("breaker", backend="b1", to="open", within=5)
            at_open = connects.count
            result = load.stop()
        assert result["gave_up"] > THRESHOLD
        assert at_open >= THRESHOLD


def test_a_reset_of_the_client_cancels_its_session_and_further_attempts():
    """Its connect runs to its verdict; nobody else is asked on behalf of somebody who has gone."""
    with (
        Backend("echo", name="b1") as silent,
        Backend("echo", name="b2") as alive,
        black_hole(silent.port),
    ):
        backends_by_priority = [silent, {"address": alive.address, "name": "b2", "priority": 1}]
        with Sluice(conf(backends_by_priority)) as sluice:
            for _ in range(THRESHOLD):
                reset(connect(sluice.address()))
            sluice.eventually(
                lambda: sluice.session_count() == THRESHOLD, what="the sessions ended"
            )
            sluice.eventually_event("breaker", backend="b1", to="open", within=3)
            assert alive.arrivals() == []
            assert {entry["reason"] for entry in sluice.sessions()} == {"client_reset"}


def test_what_a_client_sent_before_a_failed_connect_reaches_the_next_backend():
    """Nothing is read from it and lost, its FIN is not forgotten either."""
    sent = pattern.stream(0, 300_000)
    with (
        Backend("echo", name="b1") as silent,
        Backend("echo", name="b2") as alive,
        black_hole(silent.port),
    ):
        backends_by_priority = [silent, {"address": alive.address, "name": "b2", "priority": 1}]
        with Sluice(conf(backends_by_priority)) as sluice, connect(sluice.address()) as client:
            sending = InBackground(send_and_finish, client, sent)
            assert receive_all(client) == (sent, "fin")
            sending.result()
            assert len(alive.arrivals()) == 1
            client.close()
            assert sluice.eventually_session()["attempts"] == 2


def send_and_finish(sock, data):
    sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)


def test_an_impatient_client_s_trial_is_a_verdict_too():
    """The permit of a client that went away must not be lost: trials go on, one after another."""
    breaker = {**BREAKER, "recovery_timeout": "200ms", "max_recovery_timeout": "200ms"}
    with Backend("echo") as server, Sluice(conf([server], breaker=breaker)) as sluice:
        with Load(sluice.address(), clients=64, rate=600, patience=0.02) as load:
            with black_hole(server.port):
                sluice.eventually(
                    lambda: len(sluice.events("breaker", to="open")) >= 4,
                    within=10,
                    what="three trials by clients that left",
                )
            sluice.eventually_event("breaker", to="closed")
            load.stop()
        with connect(sluice.address()) as client:
            client.sendall(b"still here")
            assert client.recv(64) == b"still here"


def test_a_client_whose_trial_fails_is_served_by_another_backend():
    breaker = {
        **BREAKER,
        "failure_threshold": 1,
        "recovery_timeout": "100ms",
        "max_recovery_timeout": "100ms",
    }
    with (
        Refusing() as dead,
        Backend("echo") as alive,
        Sluice({**conf([dead, alive], breaker=breaker), "admin": {"address": "127.0.0.1:0"}}) as sluice,
        Load(sluice.address(), **UNDER_LOAD) as load,
    ):
        # The log writes ten of them in a minute.
        sluice.eventually(
            lambda: Admin(sluice).backend("dead")["breaker"]["opens"] > 10,
            within=10,
            what="ten failed trials",
        )
        result = load.stop()
        assert result["errors"] == []
        opened = sluice.transitions("breaker", "dead")
        assert opened[:3] == [("closed", "open"), ("open", "half_open"), ("half_open", "open")]
