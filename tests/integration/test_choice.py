"""Who is chosen: states, health, priorities, weights, policies, failed attempts."""
import pytest

from support import requires
from support.backends import Backend, Refusing, backends
from support.helper import Helper
from support.network import ConnectCounter
from support.sluice import Sluice, front
from support.sockets import greeting

FAST = {"interval": "200ms", "unhealthy_interval": "200ms", "timeout": "150ms", "jitter": 0}


def served_by(sluice):
    """The greeting of whoever serves the next client; empty when it is refused."""
    return greeting(sluice.address())


def test_an_unhealthy_backend_gets_no_client_and_panic_is_off_unless_set():
    with backends(2, "banner") as (one, two), Refusing() as dead:
        servers = [{"address": one.address, "name": "b1", "health_check_port": dead.port}, two]
        with Sluice(front(servers, cluster={"health_check": FAST})) as sluice:
            sluice.eventually_event("health", backend="b1", to="unhealthy")
            assert {served_by(sluice) for _ in range(10)} == {"b2"}
        with Sluice(front(servers[:1], cluster={"health_check": FAST})) as sluice:
            sluice.eventually_event("health", backend="b1", to="unhealthy")
            assert served_by(sluice) == ""
        with Sluice(
            front(servers[:1], cluster={"health_check": FAST, "panic_threshold": 50})
        ) as sluice:
            sluice.eventually_event("health", backend="b1", to="unhealthy")
            assert served_by(sluice) == "b1"


@pytest.mark.parametrize("state", ["draining", "maintenance"])
def test_a_backend_that_is_not_ready_gets_no_client(state):
    with backends(2, "banner") as (one, two):
        with Sluice(front([{"address": one.address, "name": "b1", "state": state}, two])) as sluice:
            assert {served_by(sluice) for _ in range(10)} == {"b2"}


def test_a_lower_priority_serves_only_while_the_first_is_down():
    with backends(2, "banner") as (one, two):
        servers = [one, {"address": two.address, "name": "b2", "priority": 1}]
        health = {**FAST, "healthy_threshold": 1, "unhealthy_threshold": 1}
        with Sluice(front(servers, cluster={"health_check": health})) as sluice:
            sluice.eventually_event("health", backend="b1", to="healthy")
            assert {served_by(sluice) for _ in range(10)} == {"b1"}
            one.kill()
            assert served_by(sluice) == "b2", "a failed connect goes on to the next priority"
            sluice.eventually_event("health", backend="b1", to="unhealthy")
            assert {served_by(sluice) for _ in range(10)} == {"b2"}
            one.start()
            sluice.eventually(lambda: sluice.transitions("health", "b1")[-1][1] == "healthy")
            sluice.eventually(lambda: served_by(sluice) == "b1")
            assert {served_by(sluice) for _ in range(10)} == {"b1"}


def test_sessions_spill_over_to_the_next_priority_as_the_first_one_shrinks():
    """With half of it available 140 % of that stay: 70 of 100."""
    with backends(3, "banner") as (one, two, backup), Refusing() as dead:
        servers = [
            one,
            {"address": two.address, "name": "b2", "health_check_port": dead.port},
            {"address": backup.address, "name": "b3", "priority": 1},
        ]
        with Sluice(front(servers, cluster={"health_check": FAST})) as sluice:
            sluice.eventually_event("health", backend="b2", to="unhealthy")
            served = [served_by(sluice) for _ in range(300)]
        assert set(served) == {"b1", "b3"}
        # Six standard deviations: sqrt(300 * 0.7 * 0.3) is 8.
        assert abs(served.count("b3") - 90) < 48
        enough = {"health_check": FAST, "balance": {"overprovisioning": 200}}
        with Sluice(front(servers, cluster=enough)) as sluice:
            sluice.eventually_event("health", backend="b2", to="unhealthy")
            assert {served_by(sluice) for _ in range(50)} == {"b1"}, "200 % of a half are the whole"


def test_round_robin_follows_the_weights():
    with backends(2, "banner") as (one, two):
        servers = [{"address": one.address, "name": "b1", "weight": 3}, two]
        with Sluice(front(servers, workers=1)) as sluice:
            served = [served_by(sluice) for _ in range(40)]
        assert served.count("b1") == 30
        assert "b1 b1 b1 b1" not in " ".join(served), "smooth, not in blocks"


def test_least_connections_is_exact_over_all_workers():
    with (
        backends(3) as servers,
        Sluice(front(servers, workers=2, cluster={"balance": "least_connections"})) as sluice,
        Helper("holders_main.py", *sluice.address()) as holders,
    ):
        assert holders.ask("hold", 30) == 30
        assert [len(server.arrivals()) for server in servers] == [10, 10, 10]


@requires.firewall
def test_attempts_do_not_repeat_a_backend_while_another_is_untried():
    with Refusing("d1") as one, Refusing("d2") as two, Backend("banner", name="alive") as alive:
        with Sluice(front([one, two, alive], cluster={"circuit_breaker": "off"})) as sluice:
            connects = [ConnectCounter(one.port), ConnectCounter(two.port)]
            assert {served_by(sluice) for _ in range(30)} == {"alive"}
            assert max(entry["attempts"] for entry in sluice.eventually(sluice.sessions)) <= 3
            assert all(counter.count <= 30 for counter in connects)
        with Sluice(
            front([one, two, alive], cluster={"circuit_breaker": "off", "connect_attempts": 1})
        ) as sluice:
            assert {served_by(sluice) for _ in range(30)} == {"alive", ""}
