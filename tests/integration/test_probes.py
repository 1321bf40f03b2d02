"""Probes: when they go out, what they say, and what they find."""
import time

import pytest

from support import requires
from support.backends import Backend, Refusing
from support.network import black_hole, local_ports
from support.probed import FAST, Probed
from support.sluice import Sluice, front
from support.sockets import connect, greeting, receive_all
from support.waiting import always, eventually

SLOW = {"interval": "1m", "unhealthy_interval": "1m", "timeout": "200ms"}
# With time for several questions on a busy machine.
PATIENT = {**FAST, "timeout": "1s"}
CLOCK_SLACK = 0.05


def served_by(sluice):
    return greeting(sluice.address())


# When probes go out.


def test_the_first_probe_goes_out_at_once_and_decides_alone():
    with Backend("banner", name="alive") as alive, Refusing("dead") as dead:
        begun = time.monotonic()
        with Sluice(front([alive, dead], cluster={"health_check": SLOW})) as sluice:
            sluice.eventually_event(
                "health", within=2, backend="alive", **{"from": "unknown", "to": "healthy"}
            )
            sluice.eventually_event(
                "health", within=2, backend="dead", **{"from": "unknown", "to": "unhealthy"}
            )
            assert eventually(alive.arrivals)[0] - begun < 2 and len(alive.arrivals()) == 1
            assert {served_by(sluice) for _ in range(6)} == {"alive"}
            assert [entry["attempts"] for entry in sluice.eventually(sluice.sessions)][0] == 1


def test_probes_are_spread_over_the_interval_and_keep_it():
    """In phase they would be a burst of two hundred every second."""
    count, rounds, late_max = 200, 4, 0.3
    addresses = [f"127.0.1.{number}:0" for number in range(1, count + 1)]
    health = {"interval": "1s", "timeout": "500ms", "jitter": 0}
    with Backend("sink", addresses=addresses) as server, Sluice(
        front(server.addresses, cluster={"health_check": health})
    ):
        eventually(lambda: len(server.arrivals()) >= (rounds + 1) * count, within=9, what="probes")
        begun = server.arrivals()[0] + 2
        tenths = [0] * 10
        for at in server.arrivals():
            if begun <= at < begun + 1:
                tenths[int((at - begun) * 10)] += 1
        print(f"probes in each tenth of the interval: {tenths}")
        assert abs(sum(tenths) - count) <= count / 10
        assert max(tenths) <= count / 5
        for address in server.addresses:
            # The first went out at once, before the schedule began.
            scheduled = server.arrivals(address)[1:rounds]
            late = [at - scheduled[0] - number for number, at in enumerate(scheduled)]
            assert all(abs(seconds) < late_max for seconds in late), f"{address}: {late}"


def test_jitter_moves_probes_within_its_bounds():
    health = {"interval": "300ms", "timeout": "200ms", "jitter": 50}
    with Backend("sink") as server, Sluice(front([server], cluster={"health_check": health})):
        eventually(lambda: len(server.arrivals()) >= 14, within=10, what="fourteen probes")
        times = server.arrivals()
        gaps = [later - earlier for earlier, later in zip(times[1:], times[2:])]
        assert max(gaps) - min(gaps) > 0.03, "they are not in lockstep"
        assert max(gaps) < 2 * 0.3 + 4 * CLOCK_SLACK


@requires.firewall
def test_probes_that_hang_do_not_delay_any_other():
    """Nearly two hundred in flight (more lines of a kind would not be in the log at once), each with
    its own timeout, and one backend that answers."""
    hung = [f"127.0.2.{number}:9" for number in range(1, 191)]
    health = {"interval": "500ms", "unhealthy_interval": "500ms", "timeout": "400ms", "jitter": 0}
    with Backend("sink", name="alive") as alive, black_hole(9, "127.0.2.0/24"):
        with Sluice(front([*hung, alive], cluster={"health_check": health})) as sluice:
            begun = time.monotonic()
            sluice.eventually(
                lambda: len(sluice.events("health", to="unhealthy")) == len(hung),
                within=3,
                what="every silent one found after its own timeout",
            )
            assert time.monotonic() - begun < 2
            eventually(lambda: len(alive.arrivals()) >= 6, what="six probes")
            times = alive.arrivals()
            gaps = [later - earlier for earlier, later in zip(times[1:], times[2:])]
            assert all(abs(gap - 0.5) < 0.3 for gap in gaps), gaps
            assert sluice.transitions("health", "alive") == [("unknown", "healthy")]


def test_with_health_checks_off_there_is_no_probe_and_the_unknown_one_is_used():
    with Probed(speaks_first=b"b1\n") as server, Sluice(front([server])) as sluice:
        always(lambda: server.arrivals == [], during=1, what="no connect without a client")
        assert served_by(sluice) == "b1"
        assert sluice.events("health") == []


def test_probes_go_to_the_port_that_is_set_for_them():
    with Backend("banner", name="b1") as server, Probed() as checked:
        backend = {"address": server.address, "name": "b1", "health_check_port": checked.port}
        with Sluice(front([backend], cluster={"health_check": FAST})) as sluice:
            eventually(lambda: len(checked.arrivals) >= 3, what="three probes")
            assert server.arrivals() == []
            checked.shut()
            sluice.eventually_event("health", to="unhealthy")
            assert served_by(sluice) == ""
        with Sluice(
            front([server], cluster={"health_check": {**FAST, "port": checked.port}})
        ) as sluice:
            sluice.eventually_event("health", to="unhealthy")


# What they say and what they find.


@pytest.mark.parametrize(
    "send, expect, heard, reply",
    [
        ("PING\r\n", "+PONG", b"PING\r\n", b"+PONG\r\n"),
        ({"hex": "0001ff"}, {"hex": "ff0100"}, b"\x00\x01\xff", b"\xff\x01\x00"),
    ],
)
@pytest.mark.parametrize("good", [True, False])
def test_send_and_expect_decide(send, expect, heard, reply, good):
    with Probed(answer=lambda data: reply if good else b"-LOADING\r\n") as server:
        with Sluice(
            front([server], cluster={"health_check": {**FAST, "send": send, "expect": expect}})
        ) as sluice:
            sluice.eventually_event("health", to="healthy" if good else "unhealthy")
            assert server.heard[0] == heard


def test_an_expected_answer_may_come_in_pieces_or_first():
    with Probed(speaks_first=b"220 ready\r\n") as server:
        with Sluice(front([server], cluster={"health_check": {**FAST, "expect": "220"}})) as sluice:
            sluice.eventually_event("health", to="healthy")


@pytest.mark.parametrize("answer", [lambda data: None, lambda data: b""], ids=["silent", "closes"])
def test_a_backend_that_accepts_and_does_not_answer_is_unhealthy(answer):
    with Probed(answer=answer) as server:
        with Sluice(
            front([server], cluster={"health_check": {**FAST, "send": "?", "expect": "!"}})
        ) as sluice:
            sluice.eventually_event("health", to="unhealthy")
            assert served_by(sluice) == ""


def hears_itself(sluice, source_port):
    try:
        with connect(sluice.address(), source_address=("127.0.0.1", source_port)) as client:
            client.sendall(b"is that me")
            return receive_all(client)[0] != b""
    except (ConnectionResetError, BrokenPipeError):
        return False


@requires.own_namespace
def test_a_dead_port_that_could_connect_to_itself_is_not_healthy():
    """With so few ports to connect from, one of them soon meets itself (a simultaneous open)."""
    health = {**FAST, "interval": "50ms", "unhealthy_interval": "50ms", "timeout": "40ms"}
    dead = [f"127.0.0.1:{port}" for port in range(46_000, 46_004)]
    conf = front(
        dead,
        workers=1,
        listener={"address": "127.0.0.1:7715"},
        cluster={
            "health_check": health,
            "circuit_breaker": "off",
            "panic_threshold": 100,
            "connect_deadline": "500ms",
        },
    )
    with local_ports(46_000, 46_011), Sluice(conf) as sluice:
        sluice.eventually(lambda: len(sluice.events("health", to="unhealthy")) == len(dead))
        for port in range(61_000, 61_060):
            assert not hears_itself(sluice, port)
        assert sluice.events("health", to="healthy") == []
        assert "connect_failed" in {entry["reason"] for entry in sluice.eventually(sluice.sessions)}


def test_a_dialogue_goes_step_by_step_and_fails_where_it_goes_wrong():
    replies = {b"EHLO probe\r\n": b"250 mail\r\n", b"NOOP\r\n": b"250 OK\r\n"}
    steps = [
        {"expect": "220 "},
        {"send": "EHLO probe\r\n"},
        {"expect": "250 "},
        {"send": "NOOP\r\n"},
        {"expect": "250 OK"},
    ]
    with Probed(speaks_first=b"220 ready\r\n", answer=replies.get) as server:
        with Sluice(front([server], cluster={"health_check": {**PATIENT, "steps": steps}})) as sluice:
            sluice.eventually_event("health", to="healthy")
            assert server.heard[:2] == [b"EHLO probe\r\n", b"NOOP\r\n"]
            replies[b"NOOP\r\n"] = b""  # it hangs up
            event = sluice.eventually_event("health", to="unhealthy")
            assert event["why"].endswith("last: closed")


@pytest.mark.parametrize(
    "reply, verdict",
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", "first probe passed"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n", "first probe passed"),
        (b"HTTP/1.0 500 Internal Server Error\r\n\r\n", "first probe failed: mismatch"),
        (b"220 mail ready", "first probe failed: mismatch"),
        (b"", "first probe failed: closed"),
        (None, "first probe failed: timeout"),
    ],
)
def test_the_status_line_of_an_http_answer_decides(reply, verdict):
    health = {**PATIENT, "type": "http", "path": "/up", "host": "web.example", "status": [200, 204]}
    with Probed(answer=lambda data: reply) as server:
        with Sluice(front([server], cluster={"health_check": health})) as sluice:
            sluice.eventually_event("health", why=verdict, **{"from": "unknown"})
            assert server.heard[0].startswith(b"GET /up HTTP/1.1\r\nHost: web.example\r\n")
