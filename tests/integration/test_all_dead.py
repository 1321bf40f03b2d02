"""No backend at all: refuse at once, leave the dead alone, cost nothing."""
import time

import pytest

from support import requires
from support.backends import Backend, Refusing
from support.load import UNDER_LOAD, Load
from support.network import ConnectCounter
from support.sluice import Sluice, front
from support.sockets import connect, outcome
from support.waiting import eventually

REFUSED_WITHIN = 0.05
# Of one CPU over two seconds; the kernel counts in hundredths of a second.
IDLE_SHARE_MAX = 0.02
PROBES = {"interval": "200ms", "unhealthy_interval": "200ms", "timeout": "100ms", "jitter": 0}
LONG_OPEN = {"failure_threshold": 1, "recovery_timeout": "1m", "jitter": 0, "early_trial": False}


def refused_after(address):
    """How long a client waits for its end, and what it is: "fin" or "reset"."""
    begun = time.monotonic()
    data, ending = outcome(address)
    assert data == b""
    return time.monotonic() - begun, ending


def assert_refused_at_once(sluice, clients=200):
    waits = sorted(refused_after(sluice.address())[0] for _ in range(clients))
    print(
        f"refused after {waits[len(waits) // 2] * 1000:.2f} ms (median), {waits[-1] * 1000:.2f} ms"
        " (slowest)"
    )
    assert waits[-1] < REFUSED_WITHIN
    assert len(sluice.eventually(lambda: sluice.sessions(reason="no_backend"))) > 0


@requires.firewall
@pytest.mark.parametrize("cause", ["unhealthy", "breaker"])
def test_clients_are_refused_at_once_and_no_connect_is_made_for_them(cause):
    """Probes go to a port of their own, so each connect at the traffic port is a client's."""
    with (
        Refusing("d1") as one,
        Refusing("d2") as two,
        Refusing("d3") as three,
        Refusing() as checked,
    ):
        dead = [one, two, three]
        servers = [
            {"address": server.address, "name": server.name, "health_check_port": checked.port}
            for server in dead
        ]
        cluster = {
            "health_check": PROBES if cause == "unhealthy" else "off",
            "circuit_breaker": LONG_OPEN,
        }
        with Sluice(front(servers, cluster=cluster)) as sluice:
            if cause == "unhealthy":
                for server in dead:
                    sluice.eventually_event("health", backend=server.name, to="unhealthy")
            else:
                refused_after(sluice.address())
                for server in dead:
                    sluice.eventually_event("breaker", backend=server.name, to="open")
            connects = [ConnectCounter(server.port) for server in dead]
            probes = ConnectCounter(checked.port)
            assert_refused_at_once(sluice)
            with Load(sluice.address(), **UNDER_LOAD) as load:
                eventually(
                    lambda: sluice.session_count() > 1000, within=10, what="a thousand refusals"
                )
                result = load.stop()
            assert len(result["errors"]) == result["sessions"]
            assert [counter.count for counter in connects] == [0, 0, 0]
            assert {entry["attempts"] for entry in sluice.sessions(reason="no_backend")} == {0}
            if cause == "unhealthy":
                eventually(lambda: probes.count >= 6, what="probes go on")


@requires.firewall
def test_with_breaker_and_probes_off_every_client_costs_a_connect():
    with Refusing() as dead, Sluice(front([dead], cluster={"circuit_breaker": "off"})) as sluice:
        connects = ConnectCounter(dead.port)
        for _ in range(50):
            refused_after(sluice.address())
        assert connects.count >= 50
        assert sluice.eventually_session(reason="connect_failed")["attempts"] >= 1


@requires.firewall
def test_probes_and_trials_go_on_while_all_are_dead():
    breaker = {
        "failure_threshold": 1,
        "recovery_timeout": "300ms",
        "max_recovery_timeout": "300ms",
        "jitter": 0,
    }
    with (
        Refusing() as dead,
        Sluice(
            front([dead], cluster={"health_check": PROBES, "circuit_breaker": breaker})
        ) as sluice,
    ):
        sluice.eventually_event("health", to="unhealthy")
        connects = ConnectCounter(dead.port)
        eventually(lambda: connects.count >= 5, what="probes go on")
        assert sluice.cpu_share(1) < 2 * IDLE_SHARE_MAX


def test_an_idle_process_with_dead_backends_uses_no_cpu():
    with (
        Refusing("d1") as one,
        Refusing("d2") as two,
        Sluice(front([one, two], cluster={"health_check": {}})) as sluice,
    ):
        sluice.eventually_event("health", backend="d2", to="unhealthy")
        refused_after(sluice.address())
        share = sluice.cpu_share(2)
        print(f"{share * 100:.1f} % of a CPU")
        assert share <= IDLE_SHARE_MAX


@pytest.mark.parametrize("setting, expected", [("reset", "reset"), ("close", "fin")])
def test_on_unavailable_says_how_a_client_is_refused(setting, expected):
    with Sluice(front([], listener={"on_unavailable": setting})) as sluice:
        assert refused_after(sluice.address())[1] == expected
        assert sluice.eventually_session(reason="no_backend")["attempts"] == 0


def test_the_default_refusal_is_a_reset():
    with Sluice(front([])) as sluice:
        assert refused_after(sluice.address())[1] == "reset"


def test_traffic_resumes_with_the_first_backend_that_returns():
    with Backend("echo", name="b1") as backend:
        breaker = {"failure_threshold": 3, "recovery_timeout": "1m"}
        with Sluice(
            front([backend], cluster={"health_check": PROBES, "circuit_breaker": breaker})
        ) as sluice:
            sluice.eventually_event("health", to="healthy")
            backend.kill()
            sluice.eventually_event("health", to="unhealthy")
            assert refused_after(sluice.address())[0] < REFUSED_WITHIN
            backend.start()
            sluice.eventually_event("health", within=5, **{"from": "unhealthy", "to": "healthy"})
            with connect(sluice.address()) as client:
                client.sendall(b"back")
                assert client.recv(16) == b"back"
