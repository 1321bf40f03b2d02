"""Big things: a gigabyte both ways at once, thousands of sessions at a time, many streams side by
side."""
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from support import pattern
from support.backends import Backend
from support.helper import Helper
from support.processes import end, spawn
from support.sluice import Sluice, front
from support.sockets import InBackground, connect, receive_all, reset

GIB = 1 << 30
MIB = 1 << 20
EXCHANGE = Path(__file__).parent / "support" / "exchange_main.py"
SESSIONS = 9000
DESCRIPTORS_NEEDED = 2 * SESSIONS + 200
# User memory of a session that is quiet; the contract's goal is 300, the rest is the allocator's
# slack.
IDLE_SESSION_BYTES_MAX = 1024


@pytest.fixture(scope="module")
def random_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("bulk") / "random"
    with open(path, "wb") as file:
        for _ in range(GIB // (16 * MIB)):
            file.write(os.urandom(16 * MIB))
    yield path
    path.unlink()


def sha256_from(path, size, begin):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for first, last in ((begin, size), (0, begin)):
            file.seek(first)
            left = last - first
            while left:
                data = file.read(min(left, 4 * MIB))
                digest.update(data)
                left -= len(data)
    return digest.hexdigest()


def exchange(path, begin, *where):
    return spawn(
        [sys.executable, str(EXCHANGE), str(path), str(begin), *map(str, where)],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("splice, size", [("auto", GIB), ("off", GIB // 8)])
def test_a_random_file_goes_both_ways_at_once_unchanged(random_file, tmp_path, splice, size):
    path = random_file
    if size != GIB:
        path = tmp_path / "part"
        with open(random_file, "rb") as whole:
            path.write_bytes(whole.read(size))
    half = size // 2
    backend = exchange(path, half, "listen")
    try:
        port = int(backend.stdout.readline())
        with Sluice(front([f"127.0.0.1:{port}"], splice=splice)) as sluice:
            client = exchange(path, 0, "connect", *sluice.address())
            try:
                client_got = json.loads(client.communicate(timeout=90)[0])
                backend_got = json.loads(backend.communicate(timeout=90)[0])
            finally:
                end(client)
            session = sluice.eventually_session(cluster="back")
            print(
                f"{size} bytes both ways, splice {splice}: {session['duration_ms']} ms, RSS"
                f" {sluice.rss_kib()} KiB"
            )
    finally:
        end(backend)
    assert backend_got == {"count": size, "sha256": sha256_from(path, size, 0)}
    assert client_got == {"count": size, "sha256": sha256_from(path, size, half)}
    assert (session["received"], session["sent"]) == (size, size)


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[1] < DESCRIPTORS_NEEDED,
    reason=f"needs {DESCRIPTORS_NEEDED} descriptors",
)
def test_nine_thousand_sessions_at_a_time_are_held_and_then_gone():
    with (
        Backend("echo") as backend,
        Sluice(front([backend])) as sluice,
        Helper("holders_main.py", *sluice.address()) as clients,
    ):
        assert clients.ask("hold", 1) == 1
        descriptors, memory = sluice.fd_count(), sluice.rss_kib()
        assert clients.ask("hold", SESSIONS - 1) == SESSIONS
        grown = (sluice.rss_kib() - memory) * 1024 / SESSIONS
        print(f"{SESSIONS} sessions: {grown:.0f} bytes of RSS each")
        assert sluice.fd_count() - descriptors == 2 * (SESSIONS - 1)
        assert len(backend.arrivals()) == SESSIONS
        assert clients.ask("exchange") == SESSIONS
        assert grown < IDLE_SESSION_BYTES_MAX
        assert clients.ask("close") == SESSIONS
        sluice.eventually(
            lambda: sluice.session_count() == SESSIONS, within=20, what="every session has its line"
        )
        assert len(sluice.sessions(reason="client_closed", received=16, sent=16)) >= SESSIONS - 1
        # One session's two descriptors were part of the first count; pipes may have come into the
        # pool or not.
        sluice.eventually(
            lambda: sluice.fd_count() <= descriptors, what="descriptors are given back"
        )


@pytest.mark.parametrize("splice", ["auto", "off"])
def test_many_streams_of_all_sizes_stay_apart_while_others_are_torn_down(splice):
    """A pipe that goes back to the pool with bytes in it would show as another client's data."""
    sizes = [
        0,
        1,
        1447,
        16 * 1448,
        23_000,
        65_535,
        65_536,
        65_537,
        262_144,
        262_145,
        MIB + 1,
        3 * MIB + 7,
    ]
    chance = random.Random(7)

    def echoed(address, offset, size):
        client = connect(address, within=30)
        sending = InBackground(client.sendall, pattern.stream(offset, size))
        if chance.random() < 0.3 and size > MIB:
            client.recv(1)
            reset(client)
            return True
        sending.result()
        client.shutdown(1)
        data, ending = receive_all(client)
        client.close()
        return ending == "fin" and len(data) == size and pattern.matches(offset, data)

    with Backend("echo") as backend, Sluice(front([backend], splice=splice)) as sluice:
        for turn in range(3):
            calls = [
                InBackground(echoed, sluice.address(), 1000 * number + turn, size)
                for number, size in enumerate(sizes * 2)
            ]
            assert all(call.result() for call in calls)
        sluice.eventually(
            lambda: sluice.session_count() == 3 * 2 * len(sizes), what="every session ended"
        )
