"""Whoever attacks the admin side disturbs nobody."""
import os
import resource
import select
import signal
import threading
import time
from contextlib import ExitStack

import pytest

from support import kernel, sessions
from support.admin import Admin, with_admin
from support.attackers import Attackers
from support.backends import Backend
from support.probed import Probed
from support.sessions import EchoServer, Sessions
from support.sluice import Sluice
from support.sockets import connect
from support.waiting import eventually

# Small unless asked for: the whole attack is 100,000 connections one after another.
IS_FULL = bool(os.environ.get("SLUICE_TEST_FULL"))
CONNECTIONS, WINDOW_SECONDS, PATIENCE = (100_000, 4, 1200) if IS_FULL else (3_000, 1, 200)
ROUNDS_MIN = 5


@pytest.mark.parametrize(
    "begin, drip",
    [
        (b"", b""),
        (b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-A: b\r\n"),
        (b"POST /api/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n", b"x"),
    ],
    ids=["nothing", "headers", "body"],
)
def test_slow_requests_are_cut(begin, drip):
    """However regularly the next byte comes."""
    with Backend("echo") as server, Sluice(with_admin([server])) as sluice:
        sock = Admin(sluice).raw()
        sock.sendall(begin)
        begun = time.monotonic()
        ended = False
        while not ended and time.monotonic() - begun < 20:
            readable, _, _ = select.select([sock], [], [], 0.5)
            try:
                ended = bool(readable) and sock.recv(4096) == b""
                if drip and not ended:
                    sock.sendall(drip)
            except ConnectionError:
                ended = True
        assert ended and 8 <= time.monotonic() - begun <= 13


def test_idle_clients_neither_keep_others_out_nor_stay():
    with Backend("echo") as server, Sluice(with_admin([server])) as sluice:
        admin = Admin(sluice)
        before = sluice.fd_count()
        idle = [admin.raw() for _ in range(200)]
        eventually(lambda: sluice.fd_count() > before + 100)
        assert sluice.fd_count() <= before + 150, "of one address, some are let in"
        assert admin.get("/live", within=2) == {"live": True}
        eventually(lambda: sluice.fd_count() <= before, within=15, every=0.2)
        for sock in idle:
            sock.close()


def test_out_of_descriptors_it_neither_spins_nor_stays_away():
    """The limit is lowered from outside, as if others had taken them all."""
    with Backend("echo") as server, Sluice(with_admin([server])) as sluice:
        admin = Admin(sluice)
        assert admin.get("/live")
        before = resource.prlimit(sluice.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(sluice.pid, resource.RLIMIT_NOFILE, (sluice.fd_count(), before[1]))
        waiting = [admin.raw() for _ in range(5)]
        told = sluice.eventually_event("accept_paused", listener="admin")
        assert "open files" in told["why"]
        assert sluice.cpu_share(1.0) < 0.3
        waiting[-1].sendall(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert select.select([waiting[-1]], [], [], 0.3)[0] == []
        resource.prlimit(sluice.pid, resource.RLIMIT_NOFILE, before)
        assert waiting[-1].recv(4096).startswith(b"HTTP/1.1 200")
        for sock in waiting:
            sock.close()


def test_with_few_descriptors_there_is_an_admin_side_still():
    with Backend("echo") as server:
        with Sluice(with_admin([server], max_connections=4), nofile=64) as sluice:
            admin = Admin(sluice)
            clients = [connect(sluice.address()) for _ in range(4)]
            idle = [admin.raw() for _ in range(20)]
            for client in clients:
                client.sendall(b"x")
                assert client.recv(1) == b"x"
            assert admin.get("/api/status")["connections"]["active"] == 4
            assert sluice.events("accept_paused", listener="admin") == []
            for sock in idle + clients:
                sock.close()


def attackable(server, probed):
    """Sessions go through one cluster, another is probed often, a third has something to tell."""
    conf = with_admin([server], workers=2)
    probes = {"interval": "200ms", "timeout": "200ms", "jitter": 0}
    for name, backend, health_check in (("probed", probed, probes), ("churned", server, "off")):
        conf["listeners"].append({"name": name, "address": "127.0.0.1:0", "cluster": name})
        conf["clusters"].append(
            {
                "name": name,
                "backends": [{"address": backend.address, "name": "c1"}],
                "health_check": health_check,
            }
        )
    return conf


class Watched:
    """What is seen of a Sluice from outside while something goes on."""

    def __init__(self, sluice, probed):
        self.sluice, self.probed = sluice, probed
        self.fds = self.rss_kib = 0
        self._begun, self._cpu = time.monotonic(), kernel.thread_cpu_seconds(sluice.pid)

    def look(self):
        self.fds = max(self.fds, self.sluice.fd_count())
        self.rss_kib = max(self.rss_kib, self.sluice.rss_kib())

    def gap(self):
        """The longest time between two probes at their backend: what the control loop was late."""
        arrivals = [self._begun, *(at for at in self.probed.arrivals if at > self._begun)]
        return max(later - earlier for earlier, later in zip(arrivals, arrivals[1:]))

    def control_loop_share(self):
        """Of a core."""
        used = kernel.thread_cpu_seconds(self.sluice.pid) - self._cpu
        return used / (time.monotonic() - self._begun)


def begin_calmly(sluice, beside):
    """Sessions at the highest rate that goes through in peace, and while the neighbour is attacked,
    which costs the machine as much; and whether that is no more than the machine can do."""
    for rate in sessions.RATES:
        load = Sessions(sluice.address(), rate)
        keeps_up = load.keep_up(load.window(2))
        if keeps_up:
            beside.go_on()
            keeps_up = load.keep_up(load.window(WINDOW_SECONDS))
            beside.pause()
        if keeps_up or rate == sessions.RATES[-1]:
            print(f"{rate} sessions/s go through {'calmly' if keeps_up else 'with an effort'}")
            return load, keeps_up
        load.stop()


def attack_in_turns(load, beside, ours, look, rounds_min):
    """Now the neighbour is attacked and now we are, so that whatever else the machine does comes to
    both: what sessions got meanwhile."""
    calm, attacked = [], []
    begun = time.monotonic()
    while len(calm) < rounds_min or not ours.have_come():
        assert time.monotonic() - begun < PATIENCE, "they do not come"
        for attackers, windows in ((beside, calm), (ours, attacked)):
            attackers.go_on()
            windows.append(load.window(WINDOW_SECONDS))
            look()
            attackers.pause()
    return calm, attacked


def stall(sluice, load, seconds):
    """What sessions get when it stands still for that long: a disturbance by any standard."""
    sluice.signal(signal.SIGSTOP)
    wake_up = threading.Timer(seconds, sluice.signal, [signal.SIGCONT])
    wake_up.start()
    window = load.window(2 * seconds + 0.5)
    wake_up.join()
    return window


def test_attacks_disturb_no_session():
    """Slow heads, countless connections, large bodies, odd and foreign requests, streams that do
    not read, while up to 5,000 sessions/s go through: none fails, none is slow, probes are on time,
    memory and descriptors stay. What the attackers take from the machine is no fault of the
    attacked: so the same attack on a neighbour is what it is compared with."""
    with ExitStack() as stack:
        enter = stack.enter_context
        server, probed, other = enter(EchoServer()), enter(Probed()), enter(Probed())
        sluice = enter(Sluice(attackable(server, probed)))
        neighbour = enter(Sluice(attackable(server, other)))
        beside = enter(Attackers(Admin(neighbour).host_and_port, 0))
        beside.pause()
        load, is_calm = begin_calmly(sluice, beside)
        enter(load)
        fds, rss_kib = sluice.fd_count(), sluice.rss_kib()
        watched, watched_beside = Watched(sluice, probed), Watched(neighbour, other)
        ours = enter(Attackers(Admin(sluice).host_and_port, CONNECTIONS))
        ours.pause()
        rounds = ROUNDS_MIN if is_calm else 3 * ROUNDS_MIN
        calm, attacked = attack_in_turns(load, beside, ours, watched.look, rounds)
        attacks = ours.stop()
        for name, windows in (("neighbour attacked", calm), ("attacked", attacked)):
            print(f"{name}: p99", " ".join(f"{window.p99_ms:.1f}" for window in windows), "ms")
        print(f"attacks: {attacks}")
        print(f"at most {watched.fds} descriptors, {watched.rss_kib} KiB; {fds}, {rss_kib} before")
        gap, gap_beside = watched.gap(), watched_beside.gap()
        share = watched.control_loop_share()
        print(f"{gap:.3f} s without a probe, {gap_beside:.3f} s the neighbour's")
        print(f"the control loop took {share:.0%} of a core")
        stalled = stall(sluice, load, min(1.5 * sessions.p99_max(calm) / 1000, 5))
        told = load.stop()
        print(f"stalled: {stalled.p99_ms:.1f} ms; all: {told}")

        assert told["failed"] == 0, told
        assert all(attack["done"] > 0 for attack in attacks.values())
        assert attacks["one_after_another"]["answered"] > 0.9 * CONNECTIONS
        assert watched.rss_kib < rss_kib + 32 * 1024
        # As many sessions again may have ended for their clients and not yet for the backend.
        assert watched.fds <= fds + 2 * 2 * sessions.AT_A_TIME + 270
        assert gap < 2 * gap_beside + 0.3
        assert Admin(sluice).get("/api/status", within=2)["state"] == "accepting"
        eventually(lambda: sluice.fd_count() <= fds + 2, within=20, what="all have gone")
        assert not sessions.is_disturbed(attacked, calm)
        assert sessions.is_disturbed([stalled], calm), "the control: a stall is noticed"
