"""/metrics: each number is what a script did, counted by the script; the text is what Prometheus wants."""
import json
import signal
import socket
import time
from contextlib import ExitStack, contextmanager

import pytest

pytest.importorskip("prometheus_client")

from support import kernel, pattern
from support.admin import Admin
from support.backends import Backend, Refusing
from support.metrics import differences, lint, scrape
from support.sluice import Sluice, front, run
from support.sockets import connect, outcome, receive, receive_all, reset
from support.waiting import eventually

ADMIN = {"admin": {"address": "127.0.0.1:0"}}
REFUSED = (b"", "reset")
FEED_BYTES = 100_000


# --- a script, and its own account of what it did ---------------------------------------------------


class Account:
    """What the script has done, as the numbers that /metrics should have."""

    def __init__(self):
        self.numbers = {}

    def add(self, name, number=1, **labels):
        key = (name, *labels.items())
        self.numbers[key] = self.numbers.get(key, 0) + number

    def set(self, name, number, **labels):
        self.numbers[(name, *labels.items())] = number

    def accepted(self, listener):
        self.add("sluice_listener_connections_total", listener=listener)

    def connected(self, cluster, backend):
        self.add("sluice_backend_connects_total", cluster=cluster, backend=backend, outcome="connected")
        self.add("sluice_connect_duration_seconds_count", cluster=cluster)

    def moved(self, cluster, backend, received, sent):
        for direction, number in (("received", received), ("sent", sent)):
            self.add("sluice_bytes_total", number, cluster=cluster, backend=backend, direction=direction)

    def ended(self, listener, reason, received=0, sent=0):
        self.add("sluice_session_ends_total", listener=listener, reason=reason)
        self.add("sluice_session_duration_seconds_count", listener=listener)
        for direction, number in (("received", received), ("sent", sent)):
            labels = {"listener": listener, "direction": direction}
            self.add("sluice_session_bytes_count", **labels)
            self.add("sluice_session_bytes_sum", number, **labels)

    def turned_away(self, listener, reason):
        self.accepted(listener)
        self.ended(listener, reason)
        self.add("sluice_listener_rejected_total", listener=listener, reason=reason)

    def served(self, listener, cluster, backend, reason, received, sent):
        self.accepted(listener)
        self.connected(cluster, backend)
        self.moved(cluster, backend, received, sent)
        self.ended(listener, reason, received, sent)

    @property
    def sessions_ended(self):
        return sum(number for key, number in self.numbers.items() if key[0] == "sluice_session_ends_total")


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


def exchange(client, data):
    client.sendall(data)
    assert receive(client, len(data)) == data


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


# --- what else it tells -----------------------------------------------------------------------------


def test_bytes_show_while_a_long_session_goes_on():
    with Backend("sink", "b1") as sink, Sluice(front([sink], **ADMIN)) as sluice:
        admin = Admin(sluice)
        with connect(sluice.address()) as client:
            for total in (1, 1_000_001, 9_000_001):
                before = scrape(admin).sum("sluice_bytes_total")
                client.sendall(bytes(total - int(before)))
                eventually(
                    lambda: scrape(admin).get(
                        "sluice_bytes_total", cluster="back", backend="b1", direction="received"
                    )
                    == total
                )
            assert scrape(admin).sum("sluice_session_ends_total") == 0


def test_our_own_lack_is_counted_by_its_name_and_blamed_on_nobody():
    """An address to connect from that is not ours."""
    settings = {"source_address": "192.0.2.1", "connect_timeout": "200ms", "connect_deadline": "400ms"}
    with Backend("echo", "b1") as server:
        with Sluice(front([server], cluster=settings, workers=1, **ADMIN)) as sluice:
            assert outcome(sluice.address()) == REFUSED
            sluice.eventually_session(reason="resource")
            metrics = scrape(Admin(sluice))
            short = metrics.get("sluice_local_errors_total", error="EADDRNOTAVAIL")
            labels = {"cluster": "back", "backend": "b1"}
            assert short > 0
            assert short == metrics.get("sluice_backend_connects_total", **labels, outcome="local_error")
            assert metrics.get("sluice_local_errors_total", error="EMFILE") == 0
            assert metrics.get("sluice_listener_rejected_total", listener="front", reason="resource") == 1
            assert metrics.get("sluice_accept_paused_total", listener="front", why="shortage") >= 1
            assert metrics.get("sluice_breaker_state", **labels) == 0


def test_pipes_are_those_for_splicing():
    with Backend("sink", "b1") as sink, Sluice(front([sink], workers=1, **ADMIN)) as sluice:
        admin = Admin(sluice)
        assert scrape(admin).get("sluice_pipes", worker="0") == 0
        with connect(sluice.address()) as client:
            client.sendall(bytes(32 << 20))
            eventually(lambda: scrape(admin).get("sluice_pipes", worker="0") == 1)
    with Backend("sink", "b1") as sink, Sluice(front([sink], splice="off", **ADMIN)) as sluice:
        with connect(sluice.address()) as client:
            client.sendall(bytes(32 << 20))
            assert scrape(Admin(sluice)).sum("sluice_pipes") == 0


def test_a_thread_that_stands_still_is_seen_to_be_late():
    with Backend("echo", "b1") as server, Sluice(front([server], workers=1, **ADMIN)) as sluice:
        admin = Admin(sluice)

        def lag(worker):
            return scrape(admin).get("sluice_loop_lag_seconds", worker=worker)

        assert lag("0") == 0, "without sessions it is not measured"
        with connect(sluice.address()) as client:
            exchange(client, b"x")
            eventually(lambda: 0 < lag("0") < 1.5 and 0 < lag("control") < 1.5, within=10)
            sluice.signal(signal.SIGSTOP)
            time.sleep(3)  # what is measured
            sluice.signal(signal.SIGCONT)
            eventually(lambda: lag("0") >= 1.9 and lag("control") >= 1.9, within=10)


def test_the_process_tells_of_itself_what_the_system_says():
    with Backend("echo", "b1") as server, Sluice(front([server], **ADMIN)) as sluice:
        metrics = scrape(Admin(sluice))
        # The scrape's own connection is one more.
        assert abs(metrics.get("process_open_fds") - sluice.fd_count()) <= 1
        assert metrics.get("process_resident_memory_bytes") == pytest.approx(
            sluice.rss_kib() * 1024, rel=0.2
        )
        assert 0 < metrics.get("process_cpu_seconds_total") <= kernel.cpu_seconds(sluice.pid) + 0.1
        assert abs(time.time() - metrics.get("process_start_time_seconds")) < 60
        assert metrics.get("process_max_fds") > metrics.get("process_open_fds")
        assert metrics.get("process_threads") == len(kernel.tasks(sluice.pid))
        version = run("--version").stdout.split()[1]
        assert metrics.get("sluice_build_info", version=version) == 1


@pytest.mark.parametrize("name", ['quoted "x"', "back\\slash", "Zürich–東京", "{curly=1},a"])
def test_a_name_with_odd_characters_arrives_as_it_is(name, tmp_path):
    """A backend without a name of its own is called as its address is written."""
    address = f"unix:{tmp_path}/{name}"
    with Backend("echo", addresses=[address]):
        with Sluice(front([address], **ADMIN)) as sluice, connect(sluice.address()) as client:
            exchange(client, b"123")
            admin = Admin(sluice)
            labels = {"cluster": "back", "backend": address, "direction": "sent"}
            eventually(lambda: scrape(admin).get("sluice_bytes_total", **labels) == 3)
            assert lint(scrape(admin).text) == []


def test_a_thousand_backends_are_told_of_quickly():
    with Refusing() as nobody:
        many = [{"address": nobody.address, "name": f"backend-{number:04}"} for number in range(1000)]
        cluster_settings = {"health_check": {"interval": "1h"}}
        with Sluice(front(many, cluster=cluster_settings, **ADMIN)) as sluice:
            admin = Admin(sluice)
            begun = time.monotonic()
            metrics = scrape(admin)
            took = time.monotonic() - begun
            print(f"{len(metrics.text)} bytes in {took * 1000:.1f} ms")
            assert took < 2, "on a quiet machine it is less than a twentieth of that"
            assert lint(metrics.text) == []
            backends = {dict(labels).get("backend") for _, labels in metrics.samples} - {None}
            assert len(backends) == 1000
            # One that is made by another thread is given up when the process ends.
            for _ in range(3):
                with admin.raw() as client:
                    client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_the_lint_sees_what_is_wrong():
    good = (
        "# HELP a_total Some.\n# TYPE a_total counter\na_total{x=\"1\"} 1\na_total{x=\"2\"} 2\n"
        "# HELP h_seconds Some.\n# TYPE h_seconds histogram\nh_seconds_count 3\nh_seconds_sum 2.5\n"
        'h_seconds_bucket{le="1"} 1\nh_seconds_bucket{le="+Inf"} 3\n'
    )
    assert lint(good) == []
    for before, after in (
        ("# HELP a_total Some.\n", ""),
        ("# TYPE a_total counter\n", ""),
        ("a_total", "a"),
        (" counter", " gauge"),
        ('x="2"', 'x="1"'),
        ("h_seconds", "h_milliseconds"),
        ('le="+Inf"} 3', 'le="+Inf"} 4'),
        ('le="1"} 1', 'le="1"} 5'),
        ("h_seconds_sum 2.5\n", ""),
        ("Some.", "some"),
    ):
        assert before in good and lint(good.replace(before, after)), (before, after)
    assert lint(good + 'a_total{x="3"} 1\n'), "a series apart from the others"
