"""/metrics after a script: each number is what the script did, counted by the script itself."""
import json
import socket
from contextlib import ExitStack, contextmanager

import pytest

pytest.importorskip("prometheus_client")

from support import pattern
from support.account import Account
from support.admin import ADMIN, Admin
from support.backends import Backend, Refusing
from support.metrics import differences, lint, scrape
from support.sluice import Sluice, run
from support.sockets import REFUSED, connect, exchange, outcome, receive_all, reset
from support.waiting import eventually

FEED_BYTES = 100_000


def listener(name, **settings):
    return {"name": name, "address": "127.0.0.1:0", "cluster": settings.pop("cluster", name), **settings}


def cluster(name, backend, **settings):
    return {
        "name": name,
        "backends": [{"address": backend.address, "name": backend.name}],
        "health_check": "off",
        **settings,
    }


def configuration(echo, feed, refusing):
    """Listeners and clusters, one for each thing that can happen."""
    breaker = {"failure_threshold": 1, "recovery_timeout": "1h"}
    return {
        "workers": 2,
        "drain_timeout": "300ms",
        **ADMIN,
        "listeners": [
            listener("front"),
            listener("feed"),
            listener("dead"),
            listener("broken"),
            listener("full"),
            listener("narrow", cluster="front", max_connections=1),
        ],
        "clusters": [
            cluster("front", echo, health_check={"interval": "1h"}),
            cluster("feed", feed),
            cluster("dead", refusing, connect_attempts=3, circuit_breaker="off"),
            cluster("broken", refusing, circuit_breaker=breaker),
            cluster("full", echo, limits={"max_connections": 1}),
        ],
    }


def serve_some(sluice, account):
    for number, size in enumerate([1, 2, 100, 5_000, 70_000, 300_000] * 4):
        data = pattern.stream(number, size)
        with connect(sluice.address()) as client:
            exchange(client, data)
        account.served("front", "front", "b1", "client_closed", size, size)


def half_close_some(sluice, account):
    for _ in range(3):
        with connect(sluice.address()) as client:
            client.sendall(b"last words")
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == (b"last words", "fin")
        account.served("front", "front", "b1", "client_closed", 10, 10)


def reset_some(sluice, account):
    for _ in range(2):
        client = connect(sluice.address())
        exchange(client, b"hello")
        reset(client)
        account.served("front", "front", "b1", "client_reset", 5, 5)


def let_the_backend_end_some(sluice, account):
    for _ in range(2):
        with connect(sluice.address("feed")) as client:
            data, end = receive_all(client)
            assert (len(data), end) == (FEED_BYTES, "fin")
        account.served("feed", "feed", "feed", "backend_closed", 0, FEED_BYTES)


def find_nobody(sluice, account):
    for _ in range(2):
        assert outcome(sluice.address("dead")) == REFUSED
        account.turned_away("dead", "connect_failed")
        account.add("sluice_backend_connects_total", 3, cluster="dead", backend="dead", outcome="refused")
        account.add("sluice_connect_retries_total", 2, cluster="dead")


def open_a_breaker(sluice, account):
    labels = {"cluster": "broken", "backend": "dead"}
    for reason in ("connect_failed", "no_backend", "no_backend"):
        assert outcome(sluice.address("broken")) == REFUSED
        account.turned_away("broken", reason)
    account.add("sluice_backend_connects_total", **labels, outcome="refused")
    account.add("sluice_breaker_transitions_total", **labels, to="open")
    account.set("sluice_breaker_state", 1, **labels)
    account.set("sluice_cluster_available_backends", 0, cluster="broken")
    account.add(
        "sluice_ejections_total", cluster="broken", detector="consecutive_failures", refused="false"
    )


def exceed_a_limit_of_a_cluster(sluice, account):
    with connect(sluice.address("full")) as first:
        exchange(first, b"1")
        for _ in range(2):
            assert outcome(sluice.address("full")) == REFUSED
            account.turned_away("full", "limit")
    account.served("full", "full", "b1", "client_closed", 1, 1)


def exceed_a_limit_of_a_listener(sluice, account):
    """The second client waits until the first has gone; none is turned away."""
    with connect(sluice.address("narrow")) as first:
        exchange(first, b"1")
        second = connect(sluice.address("narrow"))
        sluice.eventually_event("accept_paused", listener="narrow")
    with second:
        exchange(second, b"2")
    for _ in range(2):
        account.served("narrow", "front", "b1", "client_closed", 1, 1)
    account.add("sluice_accept_paused_total", listener="narrow", why="listener_limit")


SCRIPT = (
    serve_some,
    half_close_some,
    reset_some,
    let_the_backend_end_some,
    find_nobody,
    open_a_breaker,
    exceed_a_limit_of_a_cluster,
    exceed_a_limit_of_a_listener,
)


def keep_some_open(sluice, account, stack, count=2):
    for _ in range(count):
        client = stack.enter_context(connect(sluice.address()))
        exchange(client, b"7 bytes")
        account.accepted("front")
        account.connected("front", "b1")
        account.moved("front", "b1", 7, 7)
    account.set("sluice_listener_connections_active", count, listener="front")
    account.set("sluice_backend_connections_active", count, cluster="front", backend="b1")


def expect_the_rest(account):
    """What the script did not touch, and what it caused by the way."""
    labels = {"cluster": "front", "backend": "b1"}
    account.set("sluice_probes_total", 1, **labels, result="passed")
    account.set("sluice_backend_health", 1, **labels)
    account.set("sluice_breaker_state", 0, **labels)
    account.set("sluice_cluster_available_backends", 1, cluster="front")
    for name in ("front", "dead", "broken"):
        account.set("sluice_cluster_panic", 0, cluster=name)
        account.set("sluice_cluster_pending", 0, cluster=name)
    for name in ("feed", "dead", "broken", "full", "narrow"):
        account.set("sluice_listener_connections_active", 0, listener=name)
    account.set("sluice_listener_rejected_total", 0, listener="front", reason="denied")
    account.set("sluice_session_ends_total", 0, listener="front", reason="idle_timeout")
    account.set("sluice_connect_retries_total", 0, cluster="front")
    for log in ("process", "access"):
        account.set("sluice_log_dropped_total", 0, log=log)
    for result in ("success", "failure"):
        account.set("sluice_reloads_total", 0, result=result)
    for status in ("401", "403"):
        account.set("sluice_admin_refused_total", 0, status=status)


@contextmanager
def after_the_script():
    """A Sluice with which the whole script was gone through, two sessions still open, and the
    account."""
    account = Account()
    with (
        Backend("echo", "b1") as echo,
        Backend("source", "feed", stream_bytes=FEED_BYTES) as feed,
        Refusing("dead") as refusing,
        Sluice(configuration(echo, feed, refusing)) as sluice,
        ExitStack() as open_ones,
    ):
        sluice.eventually_event("health", to="healthy")
        for step in SCRIPT:
            step(sluice, account)
        sluice.eventually(lambda: sluice.session_count() == account.sessions_ended)
        keep_some_open(sluice, account, open_ones)
        expect_the_rest(account)
        yield sluice, account


def eventually_exact(admin, account):
    """Bytes are counted just after they were handed on, so the last ones may be a moment late."""
    last = []

    def is_exact():
        last[:] = [scrape(admin)]
        return differences(last[0], account.numbers) == []

    eventually(is_exact, what=lambda: "\n".join(differences(last[0], account.numbers)))
    return last[0]


def test_every_number_is_what_the_script_did():
    with after_the_script() as (sluice, account):
        admin = Admin(sluice)
        metrics = eventually_exact(admin, account)
        assert lint(metrics.text) == []
        sums_hold(metrics)
        agree_with_the_access_log(metrics, sluice.sessions(), account)
        agree_with_ctl(metrics, admin)
        # The control: each number is compared, and the comparison sees it when it is another.
        for key, number in account.numbers.items():
            place = key[0], frozenset(key[1:])
            assert len(differences(metrics.but({place: number + 1}), account.numbers)) == 1, key
            assert len(differences(metrics.but({place: None}), account.numbers)) == 1, key


def sums_hold(metrics):
    """Each accepted session is active or has ended once."""
    for name in ("front", "feed", "dead", "broken", "full", "narrow"):
        accepted = metrics.get("sluice_listener_connections_total", listener=name)
        active = metrics.get("sluice_listener_connections_active", listener=name)
        assert accepted == active + metrics.sum("sluice_session_ends_total", listener=name)
    active = metrics.sum("sluice_listener_connections_active")
    assert active == metrics.sum("sluice_worker_connections_active") == 2
    assert active == metrics.sum("sluice_backend_connections_active")


def agree_with_the_access_log(metrics, entries, account):
    assert len(entries) == account.sessions_ended
    open_bytes = 2 * 7
    for direction in ("received", "sent"):
        logged = sum(entry[direction] for entry in entries)
        assert metrics.sum("sluice_bytes_total", direction=direction) == logged + open_bytes
        assert metrics.sum("sluice_session_bytes_sum", direction=direction) == logged
    for name in {entry["listener"] for entry in entries}:
        for reason in {entry["reason"] for entry in entries}:
            count = sum((entry["listener"], entry["reason"]) == (name, reason) for entry in entries)
            assert (metrics.get("sluice_session_ends_total", listener=name, reason=reason) or 0) == count
    retries = sum(max(entry["attempts"] - 1, 0) for entry in entries)
    assert metrics.sum("sluice_connect_retries_total") == retries
    took = [entry["connect_ms"] for entry in entries if entry["connect_ms"] is not None]
    assert metrics.sum("sluice_connect_duration_seconds_count") == len(took) + 2
    lasted = sum(entry["duration_ms"] for entry in entries) / 1000
    assert metrics.sum("sluice_session_duration_seconds_sum") == pytest.approx(lasted)


def agree_with_ctl(metrics, admin):
    def ctl(view):
        done = run("ctl", "--admin", admin.address, "--json", view)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)[view]

    for shown in ctl("listeners"):
        labels = {"listener": shown["name"]}
        assert shown["connections_total"] == metrics.get("sluice_listener_connections_total", **labels)
        assert shown["active_connections"] == metrics.get("sluice_listener_connections_active", **labels)
        for reason, count in shown["ends"].items():
            assert count == metrics.get("sluice_session_ends_total", **labels, reason=reason)
        for reason, count in shown["rejected"].items():
            assert count == metrics.get("sluice_listener_rejected_total", **labels, reason=reason)
    for shown in ctl("clusters"):
        assert shown["available_backends"] == metrics.get(
            "sluice_cluster_available_backends", cluster=shown["name"]
        )
        for backend in shown["backends"]:
            labels = {"cluster": shown["name"], "backend": backend["name"]}
            for direction in ("received", "sent"):
                counted = metrics.get("sluice_bytes_total", **labels, direction=direction)
                assert backend[f"{direction}_bytes"] == counted
            for name, count in backend["connects"].items():
                assert count == metrics.get("sluice_backend_connects_total", **labels, outcome=name)
            has_connected = backend["connects"]["connected"] > 0
            assert (backend["connect_ms"]["p50"] is not None) == has_connected
            if has_connected:
                assert 0 <= backend["connect_ms"]["p50"] <= backend["connect_ms"]["p99"]
