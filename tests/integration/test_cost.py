"""What a connection and a round trip cost, counted from outside."""
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import kernel, requires
from support.backends import Backend
from support.network import own_network
from support.sluice import Sluice, front
from support.sockets import connect, receive
from support.waiting import eventually

CONNECTIONS = 200
# accept4, socket, setsockopt, connect, two each of epoll_ctl and sendto, four recvfrom, shutdown, and
# one close for both sockets, which are neighbours when one client comes after another. Not counted is
# epoll_wait, of which there is one for however many are ready. One client after another, every other
# one is followed by a look into an empty queue.
CALLS_MAX = 14 + 0.5
ROUND_TRIPS = 300


def can_trace():
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode == 0


def short_connections(sluice):
    for _ in range(CONNECTIONS):
        with connect(sluice.address()) as client:
            client.sendall(b"ping")
            assert receive(client, 4) == b"ping"


@contextmanager
def counted_calls(sluice):
    """Fills a dictionary with how often each system call was made inside the block."""
    counts = {}
    with tempfile.NamedTemporaryFile("r", prefix="strace-") as summary:
        strace = subprocess.Popen(
            ["strace", "-f", "-c", "-o", summary.name, "-p", str(sluice.pid)],
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(
                lambda: all(kernel.tracer(task) == strace.pid for task in kernel.tasks(sluice.pid)),
                what="strace has every thread",
            )
            yield counts
        finally:
            strace.terminate()
            strace.wait(10)
        for line in summary.read().splitlines():
            fields = line.split()
            if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
                counts[fields[-1]] = int(fields[3])


def calls_per_connection(sluice):
    short_connections(sluice)  # the first ones pay for what is done once
    with counted_calls(sluice) as counts:
        short_connections(sluice)
        eventually(lambda: sluice.session_count() == 2 * CONNECTIONS, what="all sessions ended")
    on_the_path = {
        name: count / CONNECTIONS
        for name, count in counts.items()
        if count >= CONNECTIONS // 2 and name not in ("epoll_wait", "epoll_pwait", "write", "futex")
    }
    print(on_the_path)
    return sum(on_the_path.values())


@pytest.mark.skipif(not can_trace(), reason="needs strace and the right to use it")
@requires.own_namespace
def test_a_short_connection_costs_fourteen_system_calls():
    port_range = Path("/proc/sys/net/ipv4/ip_local_port_range")
    port_range.write_text("20000 60999")
    with Backend("echo", addresses=["127.0.0.1:9000"]) as backend, Sluice(front([backend], workers=1)) as sluice:
        cost = calls_per_connection(sluice)
    assert cost <= CALLS_MAX + 0.1
    # The control: behind a port that the kernel might pick itself, one more is needed.
    port_range.write_text("8000 60999")
    with Backend("echo", addresses=["127.0.0.1:9000"]) as backend, Sluice(front([backend], workers=1)) as sluice:
        assert cost + 0.9 <= calls_per_connection(sluice) <= cost + 1.1


def sleeps_per_round_trip(busy_poll):
    with (
        Backend("echo") as backend,
        Sluice(front([backend], workers=1, busy_poll=busy_poll)) as sluice,
        connect(sluice.address()) as client,
    ):
        before = kernel.voluntary_switches(sluice.pid)
        for _ in range(ROUND_TRIPS):
            client.sendall(b"ping")
            assert receive(client, 4) == b"ping"
        sleeps = (kernel.voluntary_switches(sluice.pid) - before) / ROUND_TRIPS
        print(f"busy_poll {busy_poll}: {sleeps:.2f} sleeps a round trip")
        return sleeps


@pytest.mark.skipif(os.cpu_count() < 2, reason="who looks keeps the others from the only CPU")
def test_a_worker_that_polls_busily_hardly_sleeps_between_messages():
    asleep = sleeps_per_round_trip("off")
    assert asleep > 0.3, "the control: it does sleep when it may not poll"
    assert sleeps_per_round_trip({"for": "5ms", "max_cpu": 100}) < asleep / 3


def test_a_worker_that_polls_busily_is_idle_when_nothing_happens():
    with (
        Backend("echo") as backend,
        Sluice(front([backend], busy_poll={"for": "10ms", "max_cpu": 100})) as sluice,
        connect(sluice.address()) as client,
    ):
        client.sendall(b"ping")
        assert receive(client, 4) == b"ping"
        eventually(lambda: sluice.cpu_share(0.2) < 0.02, what="the workers sleep")
