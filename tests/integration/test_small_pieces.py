"""Bytes that come in small pieces arrive in order and without delay."""
import socket
import time

from support import pattern
from support.sockets import InBackground, receive, receive_all, session

MIB = 1 << 20


def test_one_byte_writes_arrive_in_order_in_both_directions(sluice, backend):
    data = pattern.stream(77, 3000)

    def send_single_bytes(sock):
        for position in range(len(data)):
            sock.sendall(data[position : position + 1])
        sock.shutdown(socket.SHUT_WR)

    with session(sluice, backend) as (client, server):
        calls = [
            InBackground(send_single_bytes, client),
            InBackground(send_single_bytes, server),
            InBackground(receive_all, client),
            InBackground(receive_all, server),
        ]
        assert [call.result() for call in calls[2:]] == [(data, "fin"), (data, "fin")]


def test_one_byte_there_and_back_is_not_delayed(sluice, backend):
    """No corking, no Nagle: a round trip of one byte is far below 40 ms. Segments that fill a
    pipe's slots neither."""
    with session(sluice, backend) as (client, server):
        begun = time.monotonic()
        for _ in range(100):
            client.sendall(b"x")
            assert server.recv(1) == b"x"
            server.sendall(b"y")
            assert client.recv(1) == b"y"
        assert time.monotonic() - begun < 1


def test_the_tail_of_a_stream_of_small_segments_is_not_held_back(sluice, backend):
    """A pipe fills by slots, not by bytes; what it holds when the source pauses must go out without
    more input."""
    with session(sluice, backend) as (client, server):
        assert receive_bulk(client, server, 2 * MIB)
        for turn in range(20):
            for _ in range(40):
                server.sendall(b"s" * 600)
            begun = time.monotonic()
            assert len(receive(client, 24_000)) == 24_000
            assert time.monotonic() - begun < 0.15, f"stalled in turn {turn}"


def receive_bulk(client, server, size):
    """Makes the direction to the client a bulk one."""
    sending = InBackground(server.sendall, pattern.stream(0, size))
    data = receive(client, size)
    sending.result()
    return pattern.matches(0, data) and len(data) == size
