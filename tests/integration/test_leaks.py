"""After a crowd has gone nothing of it is left: descriptors, kernel sockets, memory, sessions."""
import os
import socket

import pytest

from support import kernel, requires
from support import sluice as sluice_module
from support.backends import Backend, backends
from support.load import Load
from support.sluice import Sluice, front, instrumented
from support.sockets import connect, listen, reset
from support.waiting import eventually

SESSIONS = int(os.environ.get("SLUICE_TEST_SESSIONS", "20000"))
WARM_UP = 2000
GROWTH_KIB_MAX = 2048
CROWD = 2000


def settled(sluice, descriptors):
    """Everything closed on Sluice's side, in the kernel's view."""
    sluice.eventually(
        lambda: sluice.fd_count() <= descriptors, within=10, what="descriptors are given back"
    )
    states = kernel.tcp_states(sluice.pid)
    assert states["CLOSE_WAIT"] == 0 and states["ESTABLISHED"] == 0, states


def test_short_sessions_leave_nothing_behind():
    with backends(2) as servers, Sluice(front(servers)) as sluice:
        with Load(sluice.address(), clients=64, sessions=WARM_UP) as load:
            assert load.result()["errors"] == []
        sluice.eventually(lambda: sluice.session_count() == WARM_UP, what="the warm-up is over")
        descriptors, memory = sluice.fd_count(), sluice.rss_kib()
        with Load(sluice.address(), clients=64, sessions=SESSIONS) as load:
            result = load.result(within=600)
        assert result["errors"] == []
        sluice.eventually(
            lambda: sluice.session_count() == WARM_UP + SESSIONS,
            within=20,
            what="one line per session",
        )
        settled(sluice, descriptors)
        grown = sluice.rss_kib() - memory
        print(
            f"{SESSIONS} sessions at {result['rate']:.0f}/s: descriptors {descriptors} ->"
            f" {sluice.fd_count()}, RSS {memory} -> {sluice.rss_kib()} KiB"
        )
        assert instrumented() or grown < GROWTH_KIB_MAX
        per_backend = [len(server.arrivals()) for server in servers]
        assert sum(per_backend) == WARM_UP + SESSIONS and abs(per_backend[0] - per_backend[1]) <= 4


@pytest.mark.parametrize("leave", [reset, socket.socket.close])
def test_clients_that_connect_and_vanish_leave_nothing_behind(leave):
    with Backend("banner") as server, Sluice(front([server])) as sluice:
        for _ in range(20):
            leave(connect(sluice.address()))
        sluice.eventually(lambda: sluice.session_count() == 20)
        descriptors = sluice.fd_count()
        for _ in range(2000):
            leave(connect(sluice.address()))
        sluice.eventually(
            lambda: sluice.session_count() == 2020, within=10, what="one line per client"
        )
        settled(sluice, descriptors)


def test_half_closed_sessions_whose_other_side_resets_leave_nothing_behind():
    with listen() as backend, Sluice(front([backend])) as sluice:
        descriptors = sluice.fd_count()
        for number in range(200):
            client = connect(sluice.address())
            server = backend.accept()
            first, second = (client, server) if number % 2 else (server, client)
            first.shutdown(socket.SHUT_WR)
            assert second.recv(1) == b""
            reset(second)
            first.close()
        sluice.eventually(lambda: sluice.session_count() == 200)
        settled(sluice, descriptors)


def test_memory_is_given_back_after_a_burst():
    """A crowd of clients that read nothing, then none: the allocator must not keep it all."""
    if instrumented():
        pytest.skip("sanitizers keep freed memory")
    with Backend("source", stream_bytes=600_000) as server, Sluice(front([server])) as sluice:
        cold = sluice.rss_kib()
        crowd_that_leaves(sluice, server, CROWD)
        before = sluice.rss_kib()
        at_peak = crowd_that_leaves(sluice, server, CROWD)
        print(f"RSS cold {cold}, {before} -> {at_peak} -> {sluice.rss_kib()} KiB")
        assert before < 1.5 * cold
        sluice.eventually(
            lambda: sluice.rss_kib() <= 1.1 * before, what="memory within a tenth of before"
        )


def crowd_that_leaves(sluice, server, count):
    """Memory while they were all there."""
    sessions, arrived = sluice.session_count(), len(server.arrivals())
    clients = [connect(sluice.address()) for _ in range(count)]
    eventually(lambda: len(server.arrivals()) == arrived + count, within=20)
    at_peak = sluice.rss_kib()
    for client in clients:
        reset(client)
    sluice.eventually(lambda: sluice.session_count() == sessions + count, within=20)
    return at_peak


@requires.program("valgrind")
def test_valgrind_finds_nothing(monkeypatch, tmp_path):
    if instrumented():
        pytest.skip("already instrumented")
    report = tmp_path / "valgrind"
    monkeypatch.setattr(
        sluice_module,
        "WRAPPER",
        [
            "valgrind",
            "--error-exitcode=99",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect",
            f"--log-file={report}",
            "--quiet",
        ],
    )
    with (
        backends(2) as servers,
        Sluice(front(servers, workers=2, cluster={"health_check": {"interval": "1s"}})) as sluice,
    ):
        with Load(sluice.address(), clients=16, sessions=300, bytes=5000) as load:
            assert load.result()["errors"] == []
        for _ in range(20):
            reset(connect(sluice.address()))
        servers[0].kill()
        with Load(sluice.address(), clients=16, sessions=100) as load:
            load.result()
        sluice.eventually(lambda: sluice.session_count() == 420, within=20)
        status = sluice.finish(within=30)
    assert status == 0, report.read_text()
