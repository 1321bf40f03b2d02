"""Panic: too few backends pass their probes, so probes are not believed, and the log says so."""
from support.backends import Backend, Refusing
from support.probed import Probed
from support.sluice import Sluice, front
from support.sockets import greeting

FAST = {"interval": "200ms", "unhealthy_interval": "200ms", "timeout": "150ms", "jitter": 0}


def cluster(threshold):
    return {"health_check": FAST, "panic_threshold": threshold}


def aside(backend, probed):
    """Serves at one address and is probed at another."""
    return {
        "name": backend.name,
        "address": backend.address,
        "health_check_port": int(probed.address.rsplit(":", 1)[1]),
    }


def served(sluice):
    return {greeting(sluice.address()) for _ in range(8)}


def test_in_panic_clients_go_to_unhealthy_backends_too_until_enough_are_healthy_again():
    with (
        Backend("banner", name="good") as good,
        Backend("banner", name="ill") as ill,
        Probed("aside") as probed,
    ):
        probed.shut()
        with Sluice(front([good, aside(ill, probed)], cluster=cluster(60), workers=1)) as sluice:
            told = sluice.eventually_event("panic", to="panic")
            assert told["why"] == "1 of 2 ready backends are healthy or unknown"
            assert told["level"] == "warning"
            assert "clients go to unhealthy backends too" in told["message"]
            assert served(sluice) == {"good", "ill"}
            probed.open()
            sluice.eventually_event("panic", to="normal")
            probed.shut()
            sluice.eventually(lambda: len(sluice.events("panic")) == 3)
            assert sluice.transitions("panic") == [
                ("normal", "panic"),
                ("panic", "normal"),
                ("normal", "panic"),
            ]


def test_without_a_threshold_there_is_no_panic():
    """The control."""
    with Backend("banner", name="good") as good, Backend("banner", name="ill") as ill:
        with Refusing() as dead:
            conf = front([good, aside(ill, dead)], cluster=cluster(0), workers=1)
            with Sluice(conf) as sluice:
                sluice.eventually_event("health", backend="ill", to="unhealthy")
                assert served(sluice) == {"good"}
                assert sluice.events("panic") == []
