"""What probes' verdicts do to a backend's health, and to its breaker."""
import time

import pytest

from support import requires
from support.backends import Backend, Refusing
from support.probed import FAST, Probed
from support.sluice import Sluice, front
from support.sockets import greeting
from support.waiting import always, eventually

CLOCK_SLACK = 0.05


def served_by(sluice):
    return greeting(sluice.address())


def test_thresholds_turn_health_and_each_transition_is_told_once():
    health = {**FAST, "healthy_threshold": 2, "unhealthy_threshold": 3}
    with Probed() as server, Sluice(front([server], cluster={"health_check": health})) as sluice:
        sluice.eventually_event("health", to="healthy")
        server.shut()
        shut = time.monotonic()
        sluice.eventually_event("health", to="unhealthy")
        assert time.monotonic() - shut > 2 * 0.2 - CLOCK_SLACK, "three failures, not one"
        server.arrivals.clear()
        server.open()
        sluice.eventually_event("health", **{"from": "unhealthy", "to": "healthy"})
        eventually(lambda: len(server.arrivals) >= 6, what="probes go on, health stays")
        assert sluice.transitions("health", "b1") == [
            ("unknown", "healthy"),
            ("healthy", "unhealthy"),
            ("unhealthy", "healthy"),
        ]
        for entry in sluice.events("health"):
            assert entry["cluster"] == "back" and entry["why"], entry


def test_a_healthy_threshold_of_two_needs_two_probes():
    with Probed(answer=lambda data: b"") as server:
        health = {
            **FAST,
            "send": "ping",
            "expect": "pong",
            "healthy_threshold": 3,
            "unhealthy_threshold": 1,
        }
        with Sluice(front([server], cluster={"health_check": health})) as sluice:
            sluice.eventually_event("health", to="unhealthy")
            good = []
            server.answer = lambda data: good.append(time.monotonic()) or b"pong"
            sluice.eventually_event("health", to="healthy")
            assert 3 <= len(good) <= 4, "three good answers, and what came while the log was read"


def test_one_failed_probe_of_three_does_not_decide():
    verdicts = iter([b"pong", b"no", b"no", b"pong", b"no", b"no"] + [b"pong"] * 1000)
    with Probed(answer=lambda data: next(verdicts)) as server:
        health = {**FAST, "send": "ping", "expect": "pong", "unhealthy_threshold": 3}
        with Sluice(front([server], cluster={"health_check": health})) as sluice:
            eventually(lambda: len(server.heard) >= 9, what="nine probes")
            assert sluice.transitions("health", "b1") == [("unknown", "healthy")]


# Health and the breaker are two causes.


def trip(sluice, dead_clients):
    for _ in range(dead_clients):
        assert served_by(sluice) == ""
    sluice.eventually_event("breaker", to="open")


def test_failed_probes_do_not_open_the_breaker():
    with (
        Refusing() as dead,
        Sluice(
            front(
                [dead], cluster={"health_check": FAST, "circuit_breaker": {"failure_threshold": 1}}
            )
        ) as sluice,
    ):
        sluice.eventually_event("health", to="unhealthy")
        always(
            lambda: sluice.events("breaker") == [],
            during=1,
            what="five failed probes are not failures of clients",
        )


@requires.firewall
def test_a_probe_takes_the_trial_of_an_idle_backend():
    """Nobody asks for it any more, and it comes back all the same."""
    with Backend("banner", name="b1") as server:
        cluster = {
            "health_check": {**FAST, "unhealthy_threshold": 100},
            "circuit_breaker": {
                "failure_threshold": 2,
                "recovery_timeout": "600ms",
                "jitter": 0,
                "early_trial": False,
            },
            "connect_attempts": 1,
        }
        with Sluice(front([server], cluster=cluster)) as sluice:
            sluice.eventually_event("health", to="healthy")
            server.kill()
            trip(sluice, 2)
            server.start()
            sluice.eventually_event("breaker", within=3, to="closed")
            assert sluice.transitions("breaker", "b1") == [
                ("closed", "open"),
                ("open", "half_open"),
                ("half_open", "closed"),
            ]
            assert served_by(sluice) == "b1"


@pytest.mark.parametrize("early", [True, False])
def test_early_trial_follows_the_probes_and_without_it_the_timeout_is_kept(early):
    with Backend("banner", name="b1") as server:
        cluster = {
            "health_check": {**FAST, "healthy_threshold": 2},
            "connect_attempts": 1,
            "circuit_breaker": {
                "failure_threshold": 2,
                "recovery_timeout": "1m",
                "early_trial": early,
            },
        }
        with Sluice(front([server], cluster=cluster)) as sluice:
            sluice.eventually_event("health", to="healthy")
            server.kill()
            trip(sluice, 2)
            server.start()
            if early:
                sluice.eventually_event("breaker", within=3, to="closed")
                sluice.eventually(lambda: served_by(sluice) == "b1")
            else:
                always(
                    lambda: served_by(sluice) == "", during=1.5, what="the breaker keeps its minute"
                )
                assert sluice.transitions("breaker", "b1") == [("closed", "open")]


def test_probes_of_another_port_do_not_close_the_breaker():
    with Refusing("b1") as dead, Probed() as checked:
        backend = {"address": dead.address, "name": "b1", "health_check_port": checked.port}
        cluster = {
            "health_check": FAST,
            "circuit_breaker": {"failure_threshold": 2, "recovery_timeout": "300ms", "jitter": 0},
            "connect_attempts": 1,
        }
        with Sluice(front([backend], cluster=cluster)) as sluice:
            trip(sluice, 2)
            eventually(lambda: len(checked.arrivals) >= 8, what="good probes go on")
            assert sluice.events("breaker", to="closed") == []
