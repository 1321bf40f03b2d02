"""Running out of descriptors or ports: accepting pauses, it is said once, nobody is blamed, nothing
spins."""
import resource
import time

import pytest

from support import requires
from support.backends import Backend, Refusing
from support.helper import Helper
from support.load import Load
from support.network import local_ports
from support.sluice import Sluice, front
from support.sockets import connect, outcome
from support.waiting import always

CLIENTS = 500
NOFILE = 64
ALL_SERVED_WITHIN = 20


def warnings(sluice):
    return [entry for entry in sluice.log() if entry.get("level") not in ("trace", "debug", "info")]


@pytest.mark.parametrize("workers", [1, 2])
def test_five_hundred_clients_with_sixty_four_descriptors_are_all_served(workers):
    with (
        Backend("echo") as backend,
        Sluice(front([backend], workers=workers), nofile=NOFILE) as sluice,
    ):
        begun = time.monotonic()
        with Load(sluice.address(), clients=CLIENTS, sessions=4 * CLIENTS) as load:
            result = load.result(within=60)
        print(
            f"{result['sessions']} sessions of {CLIENTS} clients in"
            f" {time.monotonic() - begun:.1f} s, slowest {result['slowest_ms']:.0f} ms; said:"
            f" {[entry['message'] for entry in warnings(sluice)]}"
        )
        assert result["errors"] == [] and result["sessions"] == 4 * CLIENTS
        assert result["seconds"] < ALL_SERVED_WITHIN
        sluice.eventually(
            lambda: sluice.session_count() == 4 * CLIENTS, what="one line per session"
        )
        assert sluice.process.poll() is None
        assert len(sluice.events("accept_paused")) <= 1
        assert len(warnings(sluice)) <= 2
        assert sluice.events("breaker") == []


def test_clients_beyond_the_limit_wait_without_a_spin_and_are_served_when_others_go():
    with Backend("echo") as backend, Sluice(front([backend], workers=1), nofile=NOFILE) as sluice:
        with Helper("holders_main.py", *sluice.address()) as holders:
            holders.tell(
                "hold", CLIENTS
            )  # more than fit: it waits for the answers of those that do not
            sluice.eventually(lambda: len(backend.arrivals()) > 0)
            share = sluice.cpu_share(1)
            print(
                f"{len(backend.arrivals())} sessions fit, {share * 100:.0f} % of a CPU while the"
                " others wait"
            )
            assert share < 0.05
            assert len(backend.arrivals()) < NOFILE
        with connect(sluice.address()) as client:
            client.sendall(b"my turn")
            assert client.recv(16) == b"my turn"


def test_a_limit_that_sinks_at_run_time_pauses_accepting_says_it_once_and_recovers():
    """The real EMFILE: the configured limit knows nothing of it."""
    with (
        Backend("echo") as backend,
        Sluice(front([backend], workers=1)) as sluice,
        Helper("holders_main.py", *sluice.address()) as holders,
    ):
        assert holders.ask("hold", 40) == 40
        resource.prlimit(sluice.pid, resource.RLIMIT_NOFILE, (sluice.fd_count() + 9, 20_000))
        with Load(sluice.address(), clients=100, sessions=300) as load:
            sluice.eventually_event("accept_paused")
            result = load.result(within=60)
            assert result["errors"] == []
        assert len(sluice.events("accept_paused")) == 1, "said once, not at each try"
        assert sluice.events("breaker") == [], "our own shortage is nobody's fault"
        resource.prlimit(sluice.pid, resource.RLIMIT_NOFILE, (20_000, 20_000))
        assert holders.ask("exchange") == 40
        assert holders.ask("hold", 200) == 240


def test_while_accepting_is_paused_the_process_is_quiet():
    with (
        Backend("echo") as backend,
        Sluice(front([backend], workers=2)) as sluice,
        Helper("holders_main.py", *sluice.address()) as holders,
        Helper("holders_main.py", *sluice.address()) as waiting,
    ):
        assert holders.ask("hold", 20) == 20
        resource.prlimit(sluice.pid, resource.RLIMIT_NOFILE, (sluice.fd_count(), 20_000))
        waiting.tell("hold", 10)
        sluice.eventually_event("accept_paused")
        share = sluice.cpu_share(1)
        print(f"{share * 100:.0f} % of a CPU")
        assert share < 0.05
        holders.ask("close")
        assert waiting.answer(within=5) == 10, "sessions that end make room"


@pytest.mark.parametrize("where", ["max_connections", "listener"])
def test_at_the_configured_limit_clients_wait_in_the_queue(where):
    limits = (
        {"max_connections": 10}
        if where == "max_connections"
        else {"listener": {"max_connections": 10}}
    )
    with (
        Backend("echo") as backend,
        Sluice(front([backend], workers=2, **limits)) as sluice,
        Helper("holders_main.py", *sluice.address()) as first,
        Helper("holders_main.py", *sluice.address()) as second,
    ):
        assert first.ask("hold", 10) == 10
        second.tell("hold", 5)
        always(lambda: len(backend.arrivals()) == 10, during=0.3, what="ten sessions and no more")
        assert sluice.cpu_share(0.5) < 0.05
        assert first.ask("close") == 10
        assert second.answer(within=5) == 5


def test_without_the_limit_the_same_clients_do_not_wait():
    with (
        Backend("echo") as backend,
        Sluice(front([backend], workers=2)) as sluice,
        Helper("holders_main.py", *sluice.address()) as first,
        Helper("holders_main.py", *sluice.address()) as second,
    ):
        assert first.ask("hold", 10) == 10
        assert second.ask("hold", 5) == 5


@requires.own_namespace
def test_running_out_of_local_ports_is_not_blamed_on_the_backend():
    cluster = {
        "source_address": "127.0.0.9",
        "circuit_breaker": {"failure_threshold": 2},
        "connect_deadline": "1s",
    }
    with Backend("echo") as backend, Sluice(front([backend], workers=1, cluster=cluster)) as sluice:
        held, waiting = [], []
        with local_ports(50_000, 50_009):
            for number in range(10):
                held.append(
                    connect(sluice.address(), source_address=("127.0.0.1", 61_000 + number))
                )
                held[-1].sendall(b"x")
                assert held[-1].recv(1) == b"x"
            for number in range(4):
                waiting.append(
                    connect(sluice.address(), source_address=("127.0.0.1", 62_000 + number))
                )
            sluice.eventually_event("accept_paused")
            assert sluice.eventually_session(reason="resource")
            assert sluice.events("breaker") == []
            for client in held + waiting:
                client.close()
        with connect(sluice.address()) as client:
            client.sendall(b"ports again")
            assert client.recv(16) == b"ports again"


@requires.own_namespace
def test_a_dead_backend_of_the_same_setup_is_blamed():
    cluster = {"source_address": "127.0.0.9", "circuit_breaker": {"failure_threshold": 2}}
    with Refusing() as dead, Sluice(front([dead], workers=1, cluster=cluster)) as sluice:
        for _ in range(2):
            assert outcome(sluice.address()) == (b"", "reset")
        sluice.eventually_event("breaker", to="open")
