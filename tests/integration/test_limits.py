"""Limits with a queue, closing on unhealthy, and why a session went where it did."""
import time
from contextlib import ExitStack, contextmanager

import pytest

from support.helper import Helper
from support.load import UNDER_LOAD_RATE_MIN, Load
from support.probed import Probed
from support.sluice import Sluice, front
from support.sockets import connect, greeting, listen, outcome, receive_all
from support.waiting import always

LIMIT = 8
CLIENTS = 64
SESSIONS = 5000
QUEUED = {"max_pending": 1000, "queue_timeout": "30s"}
FAST = {"interval": "200ms", "unhealthy_interval": "200ms", "timeout": "150ms", "jitter": 0}


@contextmanager
def counting_backend():
    with Helper("counting_main.py") as backend:
        yield backend, f"127.0.0.1:{backend.answer()}"


def most_under_load(limits):
    """The most connections at a time that the backend has seen, and the load's own account."""
    with counting_backend() as (backend, address):
        with Sluice(front([address], workers=2, cluster={"limits": limits})) as sluice:
            with Load(sluice.address(), clients=CLIENTS, sessions=SESSIONS) as load:
                account = load.result()
        most, total = backend.ask("counts")
        print(f"{most} at a time, {total} in all, {account['rate']:.0f} sessions/s")
        assert total == SESSIONS
        return most, account


@pytest.mark.parametrize("limit", ["max_connections", "max_connections_per_backend"])
def test_a_backend_never_sees_one_connection_more_than_the_limit(limit):
    most, account = most_under_load({limit: LIMIT, **QUEUED})
    assert account["errors"] == [], "all who wait are served"
    assert account["rate"] >= UNDER_LOAD_RATE_MIN
    assert most == LIMIT, "never more, and all of it is used"


def test_without_a_limit_the_same_load_is_more_than_that():
    most, account = most_under_load({})
    assert account["errors"] == []
    assert most > LIMIT


def test_queued_clients_are_served_one_after_another_in_the_order_in_which_they_came():
    with (
        listen() as backend,
        Sluice(
            front([backend], workers=1, cluster={"limits": {"max_connections": 1, **QUEUED}})
        ) as sluice,
        ExitStack() as clients,
    ):
        waiting = [clients.enter_context(connect(sluice.address())) for _ in range(20)]
        for number, client in enumerate(waiting):
            client.sendall(b"%02d" % number)
        for number, client in enumerate(waiting):
            with client, backend.accept() as served:
                assert served.recv(2) == b"%02d" % number
                if number == 0:
                    always(backend.nobody_came, during=0.3, what="one at a time")
        sluice.eventually(lambda: sluice.session_count() == 20)


def test_a_client_that_waits_too_long_or_finds_the_queue_full_is_refused():
    limits = {"max_connections": 1, "max_pending": 1, "queue_timeout": "500ms"}
    with (
        listen() as backend,
        Sluice(front([backend], workers=1, cluster={"limits": limits})) as sluice,
        connect(sluice.address()),
        backend.accept(),
    ):
        begun = time.monotonic()
        with connect(sluice.address()) as second:
            assert outcome(sluice.address()) == (b"", "reset")
            assert receive_all(second) == (b"", "reset")
        assert time.monotonic() - begun >= 0.48
        refused = sluice.eventually(lambda: sluice.sessions(reason="limit")[1:])
        assert refused[0]["backend"] is None and refused[0]["attempts"] == 0
        assert sluice.events("breaker") == [], "a limit is nobody's fault"


def why(is_trial=False, **passed_over):
    return {"policy": "round_robin", "trial": is_trial, "passed_over": passed_over}


def test_the_access_log_says_why_a_session_went_where_it_did():
    breaker = {"failure_threshold": 1, "recovery_timeout": "500ms", "jitter": 0}
    with Probed("b1", speaks_first=b"b1") as first, Probed("b2", speaks_first=b"b2") as second:
        backends = [first, {"address": second.address, "name": "b2", "priority": 1}]
        with Sluice(front(backends, cluster={"circuit_breaker": breaker})) as sluice:

            def next_session():
                before = sluice.session_count()
                served = greeting(sluice.address())
                sluice.eventually(lambda: sluice.session_count() > before)
                return served, sluice.sessions()[-1]["why"]

            assert next_session() == ("b1", why())
            first.shut()
            assert next_session() == ("b2", why(tried=1))
            assert next_session() == ("b2", why(breaker=1))
            first.open()
            trial = ("b1", why(is_trial=True))
            sluice.eventually(lambda: next_session() == trial, what="the trial")


@contextmanager
def sessions_on_a_dying_backend(closing, count):
    """Clients that are connected to a backend that then fails its probes."""
    with Probed("b1", speaks_first=b"x") as server:
        cluster = {"health_check": FAST, "close_on_unhealthy": closing}
        with Sluice(front([server], cluster=cluster)) as sluice, ExitStack() as stack:
            clients = [stack.enter_context(connect(sluice.address())) for _ in range(count)]
            assert [client.recv(1) for client in clients] == count * [b"x"]
            sluice.eventually_event("health", to="healthy")
            server.shut()
            sluice.eventually_event("health", to="unhealthy")
            yield sluice, clients


def is_open(client):
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    finally:
        client.settimeout(20)


def test_clients_of_an_unhealthy_backend_are_reset_when_asked_for():
    with sessions_on_a_dying_backend("on", 5) as (sluice, clients):
        assert [receive_all(client) for client in clients] == 5 * [(b"", "reset")]
        sluice.eventually(lambda: len(sluice.sessions(reason="backend_unhealthy")) == 5)


def test_clients_of_an_unhealthy_backend_stay_when_not():
    with sessions_on_a_dying_backend("off", 5) as (sluice, clients):
        always(lambda: all(is_open(client) for client in clients), during=1, what="they stay")


def test_closing_can_be_spread_over_a_time():
    with sessions_on_a_dying_backend({"over": "2s"}, 10) as (sluice, clients):
        assert [receive_all(client) for client in clients] == 10 * [(b"", "reset")]
        sluice.eventually(lambda: len(sluice.sessions(reason="backend_unhealthy")) == 10)
        times = {entry["time"] for entry in sluice.sessions(reason="backend_unhealthy")}
        assert len(times) >= 5, "not all at once"
