"""The transcripts beside this file, played against the node; and the player against wrong ones."""
import re
from pathlib import Path

import pytest

from world.transcript import matches, parse, play

TRANSCRIPTS = sorted(Path(__file__).with_name("transcripts").glob("*.txt"))
INIT = """\
$ maelstrom
<- {"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}
-> {"src":"n1","dest":"c0","body":{"type":"init_ok","in_reply_to":1,"msg_id":0}}
"""
ECHO = '<- {"src":"c1","dest":"n1","body":{"type":"echo","msg_id":1,"echo":1}}\n'


def test_there_are_transcripts():
    assert {path.stem for path in TRANSCRIPTS} >= {"route_to_healthy", "open_circuit_on_failures"}


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_node_says_just_what_is_written(path):
    play(parse(path.read_text()), path.parent)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_transcript_with_one_line_changed_fails(path):
    text = path.read_text()
    last = text.rstrip().rpartition("\n")[2]
    assert last.startswith("-> ")
    wrong = text.replace(last, re.sub(r'"msg_id":(\d+)', r'"msg_id":1\1', last))
    with pytest.raises(AssertionError, match="expected"):
        play(parse(wrong), path.parent)


def test_a_line_that_is_not_written_down_fails():
    with pytest.raises(AssertionError, match="it also printed"):
        play(parse(INIT + ECHO))


def test_a_line_that_does_not_come_fails():
    line = '-> {"src":"n1","dest":"c1","body":{"type":"echo_ok","in_reply_to":1}}\n'
    with pytest.raises(AssertionError, match="expected"):
        play(parse(INIT + ECHO + line))


@pytest.mark.parametrize("text", ["hello\n", "<- {}\n", ""])
def test_what_is_no_transcript_is_refused(text):
    with pytest.raises(ValueError):
        parse(text)


def test_only_the_text_of_an_error_is_left_open():
    expected = '{"code":11,"text":"…"}'
    assert matches(expected, r'{"code":11,"text":"it said \"no\""}')
    assert not matches(expected, '{"code":11,"text":""}')
    assert not matches(expected, '{"code":11,"text":"no","more":1}')
    assert not matches(expected, '{"code":12,"text":"no"}')
