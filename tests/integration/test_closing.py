"""How sessions end: half-closes, resets, and bytes that must arrive before either."""
import signal
import socket
import threading

import pytest

from support import kernel, pattern, requires
from support.backends import Backend, Hanging
from support.network import black_hole
from support.sluice import Sluice, front
from support.sockets import (
    InBackground,
    connect,
    receive,
    receive_all,
    reset,
    session,
    unsent_bytes,
    wait_until_taken,
)
from support.waiting import eventually

MIB = 1 << 20
SIDES = ["client", "backend"]


def ordered(side, client, server):
    """(the one this test is about, the other one)"""
    return (client, server) if side == "client" else (server, client)


def stopped(sluice):
    """Sluice stands still from now until SIGCONT, so that what happens meanwhile is one event to
    it."""
    sluice.signal(signal.SIGSTOP)
    eventually(lambda: "T" in _state(sluice.pid), what="sluice is stopped")


def _state(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("size", [1, 5 * MIB])
def test_after_a_half_close_the_other_direction_goes_on(sluice, backend, side, size):
    with session(sluice, backend) as (client, server):
        closing, going_on = ordered(side, client, server)
        closing.sendall(b"my last words")
        closing.shutdown(socket.SHUT_WR)
        assert receive_all(going_on) == (b"my last words", "fin")
        data = pattern.stream(0, size)
        sending = InBackground(going_on.sendall, data)
        assert receive(closing, size) == data
        sending.result()
        going_on.close()
        assert receive_all(closing) == (b"", "fin")
    entry = sluice.eventually_session()
    assert entry["reason"] == ("backend_closed" if side == "backend" else "client_closed")
    assert sorted([entry["received"], entry["sent"]]) == sorted([13, size])


@pytest.mark.parametrize("side", SIDES)
def test_a_half_close_with_bytes_still_under_way_lets_them_arrive_first(sluice, backend, side):
    """The reader begins late: buffers on the way are full when the FIN comes."""
    data = pattern.stream(5, 6 * MIB)
    with session(sluice, backend) as (client, server):
        closing, reading = ordered(side, client, server)

        def send_and_finish():
            closing.sendall(data)
            closing.shutdown(socket.SHUT_WR)

        sending = InBackground(send_and_finish)
        eventually(
            lambda: unsent_bytes(closing) > 0 or not sending.is_alive(), what="bytes pile up"
        )
        assert receive_all(reading) == (data, "fin")
        sending.result()


@requires.own_namespace
def test_a_fin_before_the_backend_is_connected_is_not_a_cancellation():
    with (
        Hanging() as backend,
        Sluice(
            front([backend], cluster={"connect_timeout": "8s", "connect_deadline": "8s"})
        ) as sluice,
    ):
        client = connect(sluice.address())
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        server = backend.accept_again(within=8)
        server.settimeout(5)
        assert receive_all(server) == (b"question", "fin")
        server.sendall(b"answer")
        server.close()
        assert receive_all(client) == (b"answer", "fin")
        client.close()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_a_reset_is_carried_over_after_the_bytes_before_it(sluice, backend, side, size):
    data = pattern.stream(9, size)
    with session(sluice, backend) as (client, server):
        resetting, other = ordered(side, client, server)
        client.sendall(b"?")
        assert server.recv(1) == b"?"
        resetting.sendall(data)
        wait_until_taken(resetting)
        reset(resetting)
        assert receive_all(other) == (data, "reset")
    assert sluice.eventually_session()["reason"] == f"{side}_reset"


@requires.own_namespace
@pytest.mark.parametrize("message", [b"", b"-ERR max number of clients reached"])
def test_a_reset_right_after_the_connect_is_carried_over_and_no_failed_connect(message):
    """Seen together with the connect's success. It was established, so it is no connect failure: no
    second attempt, and what the backend said before is not lost."""
    patient = {
        "connect_timeout": "8s",
        "connect_deadline": "8s",
        "circuit_breaker": {"failure_threshold": 1},
    }
    with Hanging() as backend, Sluice(front([backend], cluster=patient)) as sluice:
        with connect(sluice.address()) as client:
            eventually(
                lambda: kernel.tcp_states(sluice.pid)["SYN_SENT"] == 1, what="it is connecting"
            )
            stopped(sluice)
            server = backend.accept_again(within=8)
            server.sendall(message)
            wait_until_taken(server)
            reset(server)
            sluice.signal(signal.SIGCONT)
            assert receive_all(client) == (message, "reset")
        assert sluice.eventually_session()["reason"] == "backend_reset"
        assert sluice.events("breaker") == []


@pytest.mark.parametrize("side", SIDES)
def test_bytes_and_a_reset_that_are_seen_at_once_arrive_in_that_order(sluice, backend, side):
    data = pattern.stream(3, 60_000)
    with session(sluice, backend) as (client, server):
        resetting, other = ordered(side, client, server)
        stopped(sluice)
        resetting.sendall(data)
        wait_until_taken(resetting)
        reset(resetting)
        sluice.signal(signal.SIGCONT)
        assert receive_all(other) == (data, "reset")


@pytest.mark.parametrize("side", SIDES)
def test_a_reset_in_the_middle_of_a_stream_ends_both_sides(sluice, backend, side):
    """Both directions are full and the other side is not reading: it is still told."""
    enough = threading.Event()
    with session(sluice, backend) as (client, server):
        resetting, other = ordered(side, client, server)
        killed = InBackground(send_until_killed, resetting, enough)
        survivor = InBackground(send_until_it_fails, other)
        assert len(receive(other, 4 * MIB)) == 4 * MIB
        enough.set()
        killed.result()
        survivor.result(within=5)
        sluice.eventually(lambda: sluice.session_count() == 1, what="the session ended")


def send_until_it_fails(sock):
    block = bytes(64 * 1024)
    try:
        while True:
            sock.sendall(block)
    except OSError:
        return


def send_until_killed(sock, enough):
    """A program that writes and never reads, and is killed then: a reset, with bytes on their way
    both ways."""
    block = bytes(64 * 1024)
    sock.setblocking(False)
    while not enough.wait(0.001):
        try:
            sock.send(block)
        except BlockingIOError:
            pass
    reset(sock)


@pytest.mark.parametrize("side", SIDES)
def test_data_and_fin_in_one_packet_both_arrive(sluice, backend, side):
    for _ in range(50):
        with session(sluice, backend) as (client, server):
            sending, reading = ordered(side, client, server)
            sending.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            sending.sendall(b"data with its fin")
            sending.shutdown(socket.SHUT_WR)
            assert receive_all(reading) == (b"data with its fin", "fin")


@pytest.mark.parametrize("size", [1, 70_000])
def test_a_client_that_sent_and_finished_before_it_was_accepted_is_heard(sluice, backend, size):
    """Data and FIN are there before Sluice looks the first time: one event, and no second one."""
    data = pattern.stream(1, size)
    stopped(sluice)
    client = connect(sluice.address())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MIB)
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)
    sluice.signal(signal.SIGCONT)
    server = backend.accept()
    assert receive_all(server) == (data, "fin")
    server.sendall(b"heard")
    server.close()
    assert receive_all(client) == (b"heard", "fin")
    client.close()


@pytest.mark.parametrize("side", SIDES)
def test_urgent_data_stays_in_line(sluice, backend, side):
    with session(sluice, backend) as (client, server):
        sending, reading = ordered(side, client, server)
        sending.sendall(b"before")
        sending.send(b"!", socket.MSG_OOB)
        sending.sendall(b"after")
        sending.shutdown(socket.SHUT_WR)
        assert receive_all(reading) == (b"before!after", "fin")


@pytest.mark.parametrize("side", SIDES)
def test_urgent_data_that_waits_with_other_data_is_not_lost(sluice, backend, side):
    with session(sluice, backend) as (client, server):
        sending, reading = ordered(side, client, server)
        stopped(sluice)
        sending.sendall(b"a" * 1000)
        sending.send(b"!", socket.MSG_OOB)
        sending.sendall(b"b" * 1000)
        wait_until_taken(sending)
        sluice.signal(signal.SIGCONT)
        assert receive(reading, 2001) == b"a" * 1000 + b"!" + b"b" * 1000


def test_a_final_error_message_followed_by_a_reset_is_read_by_the_client(sluice, backend):
    """A server that refuses without reading the request: its close is a reset, its message must
    still arrive."""
    for _ in range(20):
        with session(sluice, backend) as (client, server):
            client.sendall(b"a request nobody reads")
            eventually(lambda: _readable_bytes(server) == 22, what="the request is there, unread")
            server.sendall(b"-ERR max number of clients reached\r\n")
            wait_until_taken(server)
            server.close()
            assert receive_all(client) == (b"-ERR max number of clients reached\r\n", "reset")


def _readable_bytes(sock):
    return len(sock.recv(4096, socket.MSG_PEEK))


def test_a_stalled_reader_does_not_make_the_loop_spin(sluice, backend):
    with session(sluice, backend) as (client, server):
        client.settimeout(None)
        writer = InBackground(send_until_it_fails, client)
        sluice.eventually(
            lambda: sluice.cpu_share(0.2) < 0.05, within=10, what="everything is full and quiet"
        )
        assert sluice.cpu_share(1) < 0.05
        server.close()
        writer.result()


@requires.firewall
def test_a_client_that_resets_before_the_connect_is_over_leaves_nothing_behind():
    with (
        Backend("echo") as backend,
        Sluice(
            front([backend], cluster={"connect_timeout": "500ms", "connect_attempts": 1})
        ) as sluice,
    ):
        before = sluice.fd_count()
        with black_hole(backend.port):
            for _ in range(100):
                reset(connect(sluice.address()))
            sluice.eventually(lambda: sluice.session_count() == 100, what="all sessions ended")
            sluice.eventually(
                lambda: sluice.fd_count() <= before, what="connects ran to their verdict"
            )
        assert kernel.tcp_states(sluice.pid)["CLOSE_WAIT"] == 0
