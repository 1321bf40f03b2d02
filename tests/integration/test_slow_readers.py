"""A slow reader slows its writer down and costs bounded memory; a reader that is gone is found."""
import os
import time

import pytest

from support import kernel, pattern, requires
from support.backends import Backend
from support.helper import Helper
from support.network import gone, limit_socket_buffers
from support.sluice import Sluice, front
from support.sockets import InBackground, listen, session
from support.waiting import always, eventually

READERS = 200
GIB = 1 << 30
MIB = 1 << 20
# Every reader's stream is a gibibyte with SLUICE_TEST_FULL; otherwise one of them is, the others
# are shorter and still more than all buffers on the way together.
FULL = bool(os.environ.get("SLUICE_TEST_FULL"))
SHORT_STREAM = GIB if FULL else 12 * MIB
LONG_READERS = 1
COPYING = {"readers": 50, "long_stream": 128 * MIB}
SPLICING = {"readers": READERS, "long_stream": GIB}
FIRST_BYTES = 64 * 1024
DEAD_PEER_TIMEOUT = 2.0
TICK = 1.0
# User memory: a copy buffer at most, never a share of the stream.
MEMORY_PER_STALLED_SESSION_KIB = 320
TCP = {"tcp": {"dead_peer_timeout": "2s"}}
limit_socket_buffers(MIB // 2)


def counts_when_stalled(sluice):
    """Waits until nothing moves any more; what the stall costs."""
    seen = []

    def settled():
        seen.append(kernel.queued_kib())
        return len(seen) > 10 and max(seen[-10:]) - min(seen[-10:]) < 256

    eventually(settled, within=30, every=0.05, what="the writers stand still")
    return sluice.rss_kib(), seen[-1]


@pytest.mark.parametrize("splice, crowd", [("auto", SPLICING), ("off", COPYING)])
def test_readers_that_stop_for_longer_than_the_dead_peer_timeout_get_every_byte_later(
    splice, crowd
):
    readers, long_stream = crowd["readers"], crowd["long_stream"]
    with (
        Backend("source", name="short", stream_bytes=SHORT_STREAM) as short,
        Backend("source", name="long", stream_bytes=long_stream) as long,
    ):
        conf = front([short], listener=TCP, cluster=TCP, splice=splice)
        conf["listeners"].append(
            {"name": "long", "address": "127.0.0.1:0", "cluster": "long", **TCP}
        )
        conf["clusters"].append(
            {"name": "long", "backends": [long.address], "health_check": "off", **TCP}
        )
        with (
            Sluice(conf) as sluice,
            Helper("readers_main.py", *sluice.address()) as many,
            Helper("readers_main.py", *sluice.address("long")) as few,
        ):
            memory, in_kernel = sluice.rss_kib(), kernel.queued_kib()
            assert many.ask("start", readers - LONG_READERS, FIRST_BYTES) == readers - LONG_READERS
            assert few.ask("start", LONG_READERS, FIRST_BYTES) == LONG_READERS
            memory_stalled, in_kernel_stalled = counts_when_stalled(sluice)
            always(
                lambda: sluice.session_count() == 0,
                during=1.5 * DEAD_PEER_TIMEOUT,
                what="merely slow readers are left alone",
            )
            share = sluice.cpu_share(0.5)
            grown = sluice.rss_kib() - memory
            print(
                f"{readers} stalled readers, splice {splice}: RSS {memory} -> {memory_stalled} KiB,"
                f" queued in the kernel {in_kernel} -> {in_kernel_stalled} KiB, {share * 100:.0f} %"
                " of a CPU"
            )
            assert grown < readers * MEMORY_PER_STALLED_SESSION_KIB
            assert sluice.rss_kib() - memory_stalled < 4096, "a stall does not go on costing more"
            assert share < 0.05, "a target that cannot be written to is not polled"
            begun = time.monotonic()
            few.tell("read_on", LONG_READERS, long_stream)
            assert (
                many.ask("read_on", readers - LONG_READERS, SHORT_STREAM, within=300)
                == readers - LONG_READERS
            )
            assert few.answer(within=120) == LONG_READERS
            print(f"read on to the end in {time.monotonic() - begun:.1f} s")
            sluice.eventually(lambda: sluice.session_count() == readers, what="all sessions ended")
            sent = {entry["sent"] for entry in sluice.sessions()}
            assert sent == {SHORT_STREAM, long_stream}


def test_one_reader_that_stops_does_not_slow_another_of_the_same_worker():
    with (
        Backend("source", stream_bytes=64 * MIB) as backend,
        Sluice(front([backend], workers=1)) as sluice,
        Helper("readers_main.py", *sluice.address()) as stopped,
        Helper("readers_main.py", *sluice.address()) as quick,
    ):
        assert stopped.ask("start", 4, FIRST_BYTES) == 4
        assert quick.ask("start", 4, FIRST_BYTES) == 4
        assert quick.ask("read_on", 4, 64 * MIB, within=30) == 4
        assert sluice.session_count() <= 4
        assert stopped.ask("read_on", 4, 64 * MIB, within=30) == 4


def test_a_writer_is_slowed_down_by_a_backend_that_does_not_read():
    with (
        listen() as backend,
        Sluice(front([backend], listener=TCP, cluster=TCP)) as sluice,
        session(sluice, backend) as (client, server),
    ):
        sending = InBackground(client.sendall, pattern.stream(0, 48 * MIB))
        counts_when_stalled(sluice)
        always(sending.is_alive, during=1.5 * DEAD_PEER_TIMEOUT, what="the writer waits")
        position = 0
        while position < 48 * MIB:
            data = server.recv(MIB)
            assert pattern.matches(position, data) and data
            position += len(data)
        sending.result()


def cut_off(conf, who, idle_bytes):
    """A session whose client or backend vanishes while bytes for it wait; how long until it is
    ended, or None."""
    with (
        listen() as backend,
        Sluice(conf(backend)) as sluice,
        session(sluice, backend) as (client, server),
    ):
        client.sendall(b"hello")
        assert server.recv(5) == b"hello"
        server.sendall(b"world")
        assert client.recv(5) == b"world"
        vanishing, writing = (client, server) if who == "client" else (server, client)
        port = vanishing.getsockname()[1] if who == "client" else vanishing.getpeername()[1]
        with gone(port):
            begun = time.monotonic()
            writing.sendall(b"x" * idle_bytes)
            try:
                sluice.eventually(
                    lambda: sluice.sessions(),
                    within=DEAD_PEER_TIMEOUT + TICK + 0.5,
                    what="the session is ended",
                )
            except AssertionError:
                return None
            took = time.monotonic() - begun
            assert writing.recv(1) == b"" if _ends_quietly(writing) else True
            assert sum(kernel.tcp_states(sluice.pid).values()) <= 1 + len(
                kernel.listening_sockets(sluice.address()[1])
            ), "both its sockets are closed"
            return took


def _ends_quietly(sock):
    """True when the survivor sees a FIN, False when a reset: either tells it."""
    try:
        sock.recv(1, 2)  # MSG_PEEK
        return True
    except ConnectionResetError:
        return False


@requires.firewall
@pytest.mark.parametrize("who", ["client", "backend"])
@pytest.mark.parametrize("waiting", [10, MIB])
def test_a_peer_that_is_really_gone_is_found_within_the_timeout_and_a_tick(who, waiting):
    took = cut_off(lambda backend: front([backend], listener=TCP, cluster=TCP), who, waiting)
    assert took is not None, "the gone peer was not found"
    print(f"found after {took:.2f} s")
    assert DEAD_PEER_TIMEOUT - 0.2 <= took <= DEAD_PEER_TIMEOUT + TICK


@requires.firewall
@pytest.mark.parametrize("who", ["client", "backend"])
def test_with_the_dead_peer_timeout_off_a_gone_peer_stays(who):
    off = {"tcp": {"dead_peer_timeout": "off"}}
    assert cut_off(lambda backend: front([backend], listener=off, cluster=off), who, 10) is None


@requires.firewall
def test_a_peer_that_is_gone_while_nothing_is_sent_to_it_is_found_by_keepalive():
    keepalive = {"tcp": {"keepalive": {"idle": "1s", "interval": "1s", "probes": 2}}}
    with (
        listen() as backend,
        Sluice(front([backend], listener=keepalive)) as sluice,
        session(sluice, backend) as (client, _),
    ):
        with gone(client.getsockname()[1]):
            sluice.eventually(
                lambda: sluice.sessions(), within=8, what="keepalive finds the gone client"
            )
