"""The harness itself: nodes that break a rule are found out."""
import os

import pytest

from world.client import Client, finish
from world.echoes import Echoes
from world.network import Network
from world.rules import Violation

PATIENCE = 5.0
FAULTY = os.path.join(os.path.dirname(__file__), "world", "faulty_node.py")


def run_faulty(fault, patience=PATIENCE):
    with Network(2, 1, command=["/usr/bin/python3", FAULTY, fault]) as network:
        echoes = Echoes(network)
        clients = [Client(network, "c1", echoes.draw_from(["n1"]), echoes.ended, patience)]
        clients[0].start()
        network.run(lambda: len(echoes.seen) >= 5, 10)
        finish(network, clients, PATIENCE)


def test_a_lawful_node_passes():
    run_faulty("none")


@pytest.mark.parametrize(
    "fault, found",
    [
        ("twice", "a second answer"),
        ("other_request", "in_reply_to is nothing"),
        ("stray_line", "printed b'hello'"),
        ("extra_key", "keys nobody knows"),
        ("skipped_number", "msg_id is not"),
        ("unknown_dest", "nobody is called"),
        ("unasked", "a client is told what it did not ask"),
        ("wrong_content", "is not what was asked"),
        ("exit", "ended"),
        ("spaces", "white space"),
        ("dishonest_error", "answered"),
    ],
)
def test_a_node_that_breaks_a_rule_is_found_out(fault, found):
    with pytest.raises(AssertionError, match=found):
        run_faulty(fault)


def test_an_answer_after_the_client_gave_up_is_found_out():
    with pytest.raises(Violation, match="after the client gave up"):
        with Network(1, 1, command=["/usr/bin/python3", FAULTY, "late"]) as network:
            ends = []
            network.ask("c1", "n1", {"type": "echo", "echo": 1}, 0.2, ends.append)
            network.run(lambda: ends, 5)
            assert ends == [None]
            network.run_for(2)


def test_a_request_that_is_never_answered_is_found_out():
    with pytest.raises(AssertionError, match="never answered"):
        run_faulty("silent", patience=0.3)
