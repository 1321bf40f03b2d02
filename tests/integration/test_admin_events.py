"""The event streams of the real binary: every transition, once, to whoever follows, and what
becomes of those who do not read."""
import re
import select
import socket
import time

from support.admin import Admin, Events, with_admin
from support.backends import Backend
from support.documented import violations
from support.sluice import Sluice, instrumented
from support.waiting import eventually


def test_events_tell_every_transition_and_resume():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        with Events(admin) as events:
            assert events.content_type == "text/event-stream"
            eventually(lambda: events.events)
            assert events.events[0]["event"] == "hello"
            admin.act("trip", "b1")
            admin.act("drain", "b1")
            eventually(lambda: len(events.transitions) == 2)
            told = [(one["kind"], one["from"], one["to"]) for one in events.transitions]
            assert sorted(told) == [
                ("administrative", "ready", "draining"),
                ("breaker", "closed", "open"),
            ]
            for one in events.transitions:
                data = {name: one[name] for name in one if name not in ("id", "event")}
                assert violations(data, {"$ref": "#/components/schemas/Event"}) == []
            last_seen = events.transitions[-1]["id"]
        admin.act("ready", "b1")
        admin.act("reset", "b1")
        with Events(admin, last_seen) as events:
            eventually(lambda: len(events.transitions) == 2)
            assert {one["to"] for one in events.transitions} == {"ready", "closed"}
        # Of another process: everything is new.
        with Events(admin, "0-1") as events:
            eventually(lambda: len(events.transitions) == 4)
        assert admin.get("/api/status")["last_event_id"] == events.transitions[-1]["id"]


def test_streams_that_have_gone_are_forgotten():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        before = sluice.fd_count()
        for _ in range(3):
            streams = [Events(admin) for _ in range(30)]
            for stream in streams:
                eventually(lambda: stream.events)
            for stream in streams:
                stream.__exit__()
            eventually(lambda: sluice.fd_count() <= before + 1, within=5)


def test_there_is_a_limit_of_streams():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        streams = [Events(admin) for _ in range(32)]
        refused = admin.request("GET", "/api/events")
        assert refused.status == 503 and "your address" in refused.json["error"]
        # One host cannot have them all.
        streams += [Events(Admin(sluice, source="127.0.0.2")) for _ in range(32)]
        refused = Admin(sluice, source="127.0.0.3").request("GET", "/api/events")
        assert refused.status == 503 and "64" in refused.json["error"]
        assert admin.get("/api/status")
        for stream in streams:
            stream.__exit__()


def make_transitions(admin, count):
    """That many, as fast as they are answered."""
    paths = [b"/api/clusters/back/backends/b1/" + action for action in (b"trip", b"reset")]
    head = b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    pair = b"".join(b"POST " + path + head for path in paths)
    with admin.raw() as sock:
        for _ in range(count // 100):
            sock.sendall(pair * 50)
            heard = b""
            while heard.count(b"HTTP/1.1 200 OK") < 100 or not heard.endswith(b"}\n"):
                heard += sock.recv(65536)


def deaf(admin):
    """A stream of which only the first word is read. Of HTTP/1.0, so not in chunks."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(10)
    sock.connect(admin.host_and_port)
    sock.sendall(b"GET /api/events HTTP/1.0\r\n\r\n")
    assert sock.recv(15).endswith(b" 200 OK")
    return sock


def last_number(admin):
    return int(admin.get("/api/status")["last_event_id"].rsplit("-", 1)[1])


def heard_until(sock, mark):
    """The numbers of the events that come up to that one, and how many it is told to have missed."""
    text, numbers, missed = "", [], 0
    while mark not in numbers:
        text += sock.recv(65536).decode()
        told = re.findall(r"^id: [0-9a-f]+-(\d+)\nevent: transition", text, re.M)
        numbers = [int(number) for number in told]
        missed = sum(int(n) for n in re.findall(r'^data: \{"missed":(\d+)\}', text, re.M))
    return numbers, missed


def test_a_stream_that_did_not_read_for_a_while_is_told_how_many_it_has_missed():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        with deaf(admin) as sock:
            count = 4000
            begun = time.monotonic()
            make_transitions(admin, count)
            eventually(lambda: last_number(admin) == count)
            assert time.monotonic() - begun < 9, "else it has been dropped, as it should"
            numbers, missed = heard_until(sock, count)
            assert missed > 0, "the control: more has happened than is kept"
            assert numbers == sorted(set(numbers)), "in order, each once"
            assert len(numbers) + missed == count
            # And it goes on.
            admin.act("drain", "b1")
            assert heard_until(sock, count + 1) == ([count + 1], 0)


def test_streams_that_do_not_read_cost_little_and_are_ended():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        make_transitions(admin, 2000)
        fds, rss = sluice.fd_count(), sluice.rss_kib()
        streams = [deaf(admin) for _ in range(32)]
        assert sluice.fd_count() > fds + 26
        begun = time.monotonic()
        while sluice.fd_count() > fds and time.monotonic() - begun < 40:
            make_transitions(admin, 200)
        assert sluice.fd_count() <= fds, "they are still there"
        poll = select.poll()
        for sock in streams:
            poll.register(sock, 0)
        # By a reset, which comes past what they have not read: the kernel keeps nothing for them.
        eventually(lambda: len(poll.poll(0)) == len(streams))
        grown = sluice.rss_kib() - rss
        print(f"32 deaf streams, {last_number(admin)} transitions: {grown} KiB more")
        assert instrumented() or grown < 16 * 1024
        for sock in streams:
            sock.close()
