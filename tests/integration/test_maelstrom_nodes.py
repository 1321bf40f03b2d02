"""The Maelstrom node with others around it: peers, a service, TCP listeners beside it, a reader that
does not read, and a million lines."""
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support import kernel
from support.backends import Backend
from support.processes import end, spawn
from support.sluice import EXECUTABLE, WRAPPER, front
from support.sockets import greeting, outcome
from support.waiting import always, eventually

SECONDS = 10
DOCUMENT = Path(__file__).parents[2] / "docs" / "MAELSTROM.md"
LINES = 1_000_000
LINES_PER_SECOND = 200_000


class Node:
    """`sluice maelstrom` on pipes."""

    def __init__(self, *arguments, executable=(EXECUTABLE, "maelstrom"), **options):
        self.process = spawn(
            [*WRAPPER, *executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            **options,
        )
        self._said = b""
        self._errors = b""
        self._number = 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def send(self, source, kind, **body):
        message = {"src": source, "dest": "n1", "body": {"type": kind, **body}}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")

    def hear(self):
        """The next message that it sends."""
        while b"\n" not in self._said:
            ready = select.select([self.process.stdout], [], [], SECONDS)[0]
            assert ready, f"nothing said; stderr: {self.errors()}"
            read = os.read(self.process.stdout.fileno(), 65536)
            assert read, f"its output ended; stderr: {self.errors()}"
            self._said += read
        line, _, self._said = self._said.partition(b"\n")
        return json.loads(line)

    def ask(self, kind, **body):
        """A client's request and the body of what is said next."""
        self._number += 1
        self.send("c1", kind, msg_id=self._number, **body)
        return self.hear()["body"]

    def init(self, *nodes):
        self.send("c0", "init", msg_id=1, node_id="n1", node_ids=["n1", *nodes])
        assert self.hear()["body"]["type"] == "init_ok"
        return self

    def errors(self):
        while select.select([self.process.stderr], [], [], 0)[0]:
            read = os.read(self.process.stderr.fileno(), 65536)
            if not read:
                break
            self._errors += read
        return self._errors.decode()

    def events(self, event):
        """The lines of a JSON log that tell of it."""
        lines = (line for line in self.errors().splitlines() if line.startswith("{"))
        return [found for found in map(json.loads, lines) if found["event"] == event]

    def finish(self):
        self.process.stdin.close()
        status = self.process.wait(SECONDS)
        self.process.stdin = None
        return status


def test_an_echo_goes_through_a_peer_and_probes_go_out_on_timers():
    with Node() as node:
        node.init("n2")
        node.send("c1", "echo", msg_id=7, echo="hi")
        heard = [node.hear(), node.hear()]
        forwarded, probe = sorted(heard, key=lambda message: message["body"]["type"])
        assert (forwarded["dest"], forwarded["body"]["type"]) == ("n2", "echo")
        assert (probe["dest"], probe["body"]["type"]) == ("n2", "probe")
        node.send("n2", "probe_ok", in_reply_to=probe["body"]["msg_id"], msg_id=0)
        node.send("n2", "echo_ok", in_reply_to=forwarded["body"]["msg_id"], msg_id=1, echo="hi")
        answer = node.hear()
        assert (answer["dest"], answer["body"]["in_reply_to"]) == ("c1", 7)
        assert answer["body"]["echo"] == "hi"
        again = node.hear()  # after its interval of 5 s
        assert again["body"]["type"] == "probe"
        assert node.finish() == 0


def test_a_peer_that_is_silent_is_passed_by_in_real_time():
    with Node() as node:
        node.init("n2", "n3")
        node.send("c1", "echo", msg_id=7, echo="hi")
        asked = []
        began = time.monotonic()
        while len(asked) < 2:
            message = node.hear()
            if message["body"]["type"] == "probe":
                # They are there, but one does not answer requests.
                node.send(message["dest"], "probe_ok", in_reply_to=message["body"]["msg_id"])
            else:
                asked.append(message)
        assert asked[0]["dest"] != asked[1]["dest"]
        assert 1.9 < time.monotonic() - began < 4


def test_a_write_without_an_answer_is_error_0_within_a_second():
    with Node() as node:
        node.init()
        began = time.monotonic()
        assert node.ask("write", key=1, value=2)["type"] == "write"
        answer = node.hear()["body"]
        assert (answer["type"], answer["code"]) == ("error", 0)
        assert 0.7 < time.monotonic() - began < 1
        assert node.finish() == 0


def test_the_service_is_a_matter_of_options():
    with Node("--service", "seq-kv", "--service-timeout", "50") as node:
        node.init()
        node.send("c1", "read", msg_id=2, key=1)
        assert node.hear()["dest"] == "seq-kv"
        assert node.hear()["body"]["code"] == 0


def test_what_is_in_flight_at_the_end_of_input_is_answered():
    with Node() as node:
        node.init()
        node.ask("write", key=1, value=2)
        assert node.finish() == 0
        assert node.hear()["body"]["code"] == 0


def test_the_clock_is_moved_by_hand():
    for executable in ((EXECUTABLE, "maelstrom"), (link_beside(EXECUTABLE),)):
        with Node("--manual-clock", executable=executable) as node:
            node.init()
            node.ask("backends", backends=["b1"])
            for _ in range(5):
                node.ask("report", backend="b1", success=False)
            assert node.ask("route")["code"] == 11
            assert node.ask("advance", ms=30_000)["now_ms"] == 30_000
            assert node.ask("route")["trial"] is True
            assert node.ask("report", backend="b1", success=True)["state"] == "closed"
            assert node.finish() == 0


def link_beside(executable):
    return os.path.join(os.path.dirname(os.path.realpath(executable)), "sluice-maelstrom")


def documented_transcript(title):
    """The lines of that section: (direction, line), in their order."""
    section = DOCUMENT.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
    return [line.split(" ", 1) for line in section.splitlines() if line[:3] in ("<- ", "-> ")]


@pytest.mark.parametrize("title", ["Route to healthy, in full", "Open circuit on failures, in full"])
def test_the_documented_transcripts_match_byte_for_byte(title):
    transcript = documented_transcript(title)
    assert len(transcript) > 10
    done = subprocess.run(
        [EXECUTABLE, "maelstrom", "--manual-clock"],
        input="".join(line + "\n" for direction, line in transcript if direction == "<-"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0
    assert done.stdout.splitlines() == [line for direction, line in transcript if direction == "->"]


def test_without_a_manual_clock_it_is_not():
    with Node() as node:
        node.init()
        assert node.ask("advance", ms=1)["code"] == 10


# Beside TCP listeners.


@pytest.fixture
def configuration(tmp_path):
    def write(conf):
        file = tmp_path / "conf.json"
        file.write_text(json.dumps({"log": {"format": "json"}, **conf}))
        return str(file)

    return write


def listening(node):
    eventually(lambda: node.events("ready"), within=SECONDS, what="it is ready")
    host, port = node.events("listening")[0]["address"].rsplit(":", 1)
    return (host, int(port))


def test_with_a_configuration_the_listeners_are_fronted_and_their_clusters_told_of(configuration):
    with Backend("banner", name="b1") as backend:
        file = configuration(front([backend]))
        with Node("-c", file) as node:
            address = listening(node)
            node.init()
            assert greeting(address)
            [told] = node.ask("status", cluster="back")["backends"]
            assert (told["name"], told["breaker"]) == ("b1", "closed")
            # What messages report and what connections find out is one truth.
            for _ in range(5):
                last = node.ask("report", cluster="back", backend="b1", success=False)
            assert last["state"] == "open"
            assert outcome(address) == (b"", "reset")
            assert node.ask("route", cluster="back")["code"] == 11
            assert node.ask("backends", cluster="back", backends=["x"])["code"] == 12
            assert node.finish() == 0


def test_connections_that_fail_open_the_circuit_that_messages_see(configuration):
    with Backend("banner", name="b1") as backend:
        backend.kill()
        cluster = {"connect_attempts": 1, "circuit_breaker": {"failure_threshold": 2}}
        with Node("-c", configuration(front([backend], cluster=cluster))) as node:
            address = listening(node)
            node.init()
            for _ in range(2):
                outcome(address)
            [told] = node.ask("status", cluster="back")["backends"]
            assert (told["breaker"], told["opens"]) == ("open", 1)


def test_it_drains_at_the_end_of_input_and_at_a_signal(configuration):
    with Backend("echo", name="b1") as backend:
        file = configuration(front([backend]))
        for stop in ("input", signal.SIGTERM):
            with Node("-c", file) as node:
                address = listening(node)
                node.init()
                with socket.create_connection(address) as client:
                    client.sendall(b"ping")
                    assert client.recv(4) == b"ping"
                    if stop == "input":
                        assert node.finish() == 0
                    else:
                        node.process.send_signal(stop)
                        assert node.process.wait(SECONDS) == 0
                assert node.events("stopped")


def test_stdout_is_for_messages_only(configuration):
    for conf in ({"access_log": {"file": "stdout"}}, {"log": {"file": "stdout"}}):
        file = configuration({**front(["127.0.0.1:9"]), **conf})
        with Node("-c", file) as node:
            assert node.process.wait(SECONDS) == 1
            assert "stdout" in node.errors()


def test_an_address_in_use_is_exit_status_3(configuration):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        conf = front(["127.0.0.1:9"], listener={"address": "127.0.0.1:%d" % taken.getsockname()[1]})
        with Node("-c", configuration(conf)) as node:
            assert node.process.wait(SECONDS) == 3


def test_with_a_manual_clock_nothing_listens(configuration):
    conf = front(["127.0.0.1:9"], cluster={"circuit_breaker": {"recovery_timeout": "7s"}})
    with Node("--manual-clock", "-c", configuration(conf)) as node:
        node.init()
        for _ in range(5):
            node.ask("report", cluster="back", backend="127.0.0.1:9", success=False)
        node.ask("advance", ms=6_999)
        assert node.ask("route", cluster="back")["code"] == 11
        node.ask("advance", ms=1)
        assert node.ask("route", cluster="back")["trial"] is True
        assert node.events("listening") == []


# Robustness.


def fill(node, message):
    """Writes until the node takes no more for half a second; how many bytes."""
    os.set_blocking(node.process.stdin.fileno(), False)
    written = 0
    while select.select([], [node.process.stdin], [], 0.5)[1]:
        try:
            written += node.process.stdin.write(message)
        except BlockingIOError:
            pass
        assert written < 200_000_000, "it should have stopped reading"
    return written


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_reader_that_does_not_read_costs_bounded_memory_and_the_exit_is_clean(number):
    payload = "x" * 10_000
    line = '{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"%s"}}\n' % payload
    with Node() as node:
        node.init()
        fill(node, line.encode())
        assert kernel.rss_kib(node.process.pid) < 100_000
        node.process.send_signal(number)
        assert node.process.wait(SECONDS) == 0


def test_probes_do_not_pile_up_behind_a_reader_that_does_not_read():
    with Node() as node:
        node.init(*(f"m{number}" for number in range(2000)))
        line = '{"src":"c1","dest":"n1","body":{"type":"topology","msg_id":2}}\n'
        fill(node, line.encode())
        before = kernel.rss_kib(node.process.pid)
        always(
            lambda: kernel.rss_kib(node.process.pid) < before + 20_000,
            during=4,
            what="its memory stays",
        )


def test_a_line_of_16_mib_is_echoed():
    head, tail = '{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"', '"}}'
    payload = "x" * ((16 << 20) - len(head) - len(tail))
    with Node() as node:
        node.init()
        writer = threading.Thread(
            target=lambda: write_all(node, (head + payload + tail + "\n").encode())
        )
        writer.start()
        assert node.hear()["body"]["echo"] == payload
        writer.join()
        assert node.finish() == 0


def write_all(node, data):
    view = memoryview(data)
    while view:
        view = view[node.process.stdin.write(view) :]


def test_a_million_lines_go_through_fast(tmp_path, capsys):
    if WRAPPER:
        pytest.skip("not the speed that counts here")
    text = "".join(
        '{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":%d,"echo":"hello %d"}}\n'
        % (number, number)
        for number in range(1, LINES + 1)
    )
    (tmp_path / "input").write_text(
        '{"src":"c0","dest":"n1","body":{"type":"init","msg_id":0,"node_id":"n1","node_ids":["n1"]}}\n'
        + text
    )
    with open(tmp_path / "input") as source, open(tmp_path / "output", "w") as sink:
        began = time.monotonic()
        process = spawn([EXECUTABLE, "maelstrom"], stdin=source, stdout=sink)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    processor = usage.ru_utime + usage.ru_stime
    with capsys.disabled():
        print(
            f"\n{LINES / seconds:,.0f} lines/s, {processor / LINES * 1e6:.2f} us of processor a line"
        )
    with open(tmp_path / "output") as lines:
        next(lines)
        for number, line in enumerate(lines, 1):
            if number % 1000 == 0 or number < 10:
                body = json.loads(line)["body"]
                assert (body["in_reply_to"], body["msg_id"]) == (number, number)
        assert number == LINES
    assert processor < LINES / LINES_PER_SECOND
