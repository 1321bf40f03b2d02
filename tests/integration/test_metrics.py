"""/metrics: what it tells of long sessions, our own shortages, the process; and that its text is what
Prometheus wants."""
import signal
import time

import pytest

pytest.importorskip("prometheus_client")

from support import kernel
from support.admin import ADMIN, Admin
from support.backends import Backend, Refusing
from support.metrics import lint, scrape
from support.sluice import Sluice, front, run
from support.sockets import REFUSED, connect, exchange, outcome
from support.waiting import eventually


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
