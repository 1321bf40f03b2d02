"""The Maelstrom node with others around it: peers, a service, a clock that is moved by hand."""
import os
import subprocess
import time
from pathlib import Path

import pytest

from support.node import SECONDS, Node
from support.sluice import EXECUTABLE

DOCUMENT = Path(__file__).parents[2] / "docs" / "MAELSTROM.md"


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
