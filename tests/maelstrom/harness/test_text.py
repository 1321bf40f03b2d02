"""Text and messages: how it is cut, what is no message, what comes back as it went."""
import json
import random

import pytest

from world import messages
from world.messages import init, request
from world.one_node import goes_on, replies, run

ECHO = request("echo", 3, echo="on")


# How text is cut into messages.


@pytest.mark.parametrize("indent", [0, 2, "\t"])
def test_pretty_printed_input_is_read(indent):
    data = "\n".join(
        json.dumps(json.loads(line), indent=indent)
        for line in (init(), request("echo", echo={"deep": ["}{", '"']}), ECHO)
    )
    lines, errors = run(data.encode())
    bodies = [messages.read(line)["body"] for line in lines]
    assert [body.get("echo") for body in bodies] == [None, {"deep": ["}{", '"']}, "on"]
    assert "error" not in errors


def test_pretty_printed_input_with_crlf_is_read():
    data = "\n".join(json.dumps(json.loads(line), indent=2) for line in (init(), ECHO))
    lines, errors = run(data.replace("\n", "\r\n").encode())
    assert len(lines) == 2 and "error" not in errors


def test_crlf_ends_a_line():
    bodies, errors = replies(request("echo", 2, echo="a"), ECHO, newline=b"\r\n")
    assert [body["echo"] for body in bodies] == ["a", "on"]
    assert "error" not in errors


def test_a_last_line_without_newline_is_a_message():
    lines, _ = run("\n".join([init(), ECHO]).encode())
    assert messages.read(lines[-1])["body"]["echo"] == "on"


def test_empty_lines_are_nothing():
    bodies, errors = replies("", "  ", "\t", "\r", ECHO)
    assert goes_on(bodies) == [] and "error" not in errors


def test_a_complete_line_discards_what_was_unfinished():
    bodies, errors = replies('{"src":"c1","dest":', ECHO)
    assert goes_on(bodies) == [] and "error" in errors


def test_a_complete_line_in_the_middle_of_an_unfinished_text_is_a_message():
    bodies, errors = replies('{"src":"c1","body":{"echo":"unclosed', ECHO, ECHO.replace("3", "4"))
    assert [body["in_reply_to"] for body in bodies] == [3, 4] and "error" in errors


# What is no message.


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"}",
        b"]",
        b"null",
        b"7",
        b'"text"',
        b"[{}]",
        b"{} {}",
        b"\x00",
        b"\xef\xbb\xbf{}",
        b"{'src':'c1'}",
        b'{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":nan}}',
        b'{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":01}}',
        b'{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"\xff"}}',
        b'{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"\xed\xa0\x80"}}',
        b'{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"\xc0\x80"}}',
        b'{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"\\ud800"}}',
        b'{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"a\tb"}}',
        b'{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":1,}}',
    ],
)
def test_a_line_that_is_no_json_message_is_told_on_stderr_and_skipped(line):
    bodies, errors = replies(line, ECHO)
    assert goes_on(bodies) == []
    assert errors.strip()


def mutated(random_source, text):
    """Some bytes of it cut out, doubled, overwritten or moved."""
    data = bytearray(text)
    for _ in range(random_source.randint(1, 4)):
        place, length = random_source.randrange(len(data)), random_source.randint(1, 8)
        piece = random_source.choice([b"", bytes([random_source.randrange(256)]), b'"', b"{", b"}"])
        piece = random_source.choice([piece, bytes(data[place : place + length]) * 2, b"\\"])
        data[place : place + length] = piece.replace(b"\n", b"")
        if not data:
            break
    return bytes(data)


@pytest.mark.parametrize("seed", range(1, 11))
def test_whatever_came_before_a_complete_line_is_answered_once(seed):
    print("seed", seed)
    random_source = random.Random(seed)
    samples = [
        init(number=9),
        request("echo", 8, echo=["}", {"a": '"'}]),
        request("read", 7, key=1),
        request("report", 6, backend="b", success=True),
        request("topology", 5, topology={}),
    ]
    garbage = [mutated(random_source, text.encode()) for text in samples * 40]
    bodies, _ = replies(*garbage, ECHO)
    answers = [body for body in bodies if body.get("in_reply_to") == 3]
    assert [body for body in answers if body.get("echo") == "on"] == answers[-1:]


def test_invalid_utf8_is_never_printed():
    echo = b'{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"\xff\xfe"}}'
    name = b'{"src":"c\xff","dest":"n1","body":{"type":"status","msg_id":2}}'
    kind = b'{"src":"c1","dest":"n1","body":{"type":"\xff","msg_id":2}}'
    for line in (echo, name, kind):
        goes_on(replies(line, ECHO)[0])  # reading what was printed is strict


@pytest.mark.parametrize("depth", [100, 5000])
def test_deep_nesting_neither_crashes_it_nor_stops_it(depth):
    deep = "[" * depth + "]" * depth
    bodies, _ = replies(request("echo", 2, echo="X").replace('"X"', deep), ECHO)
    assert len(bodies) in (1, 2)
    assert bodies[-1]["echo"] == "on"


# What comes back as it went.


@pytest.mark.parametrize(
    "number",
    [
        "9007199254740993",
        "18446744073709551615",
        "-9223372036854775808",
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
        "1e400",
        "-0",
        "-0.0",
        "1.0",
        "1E+2",
    ],
)
def test_numbers_are_carried_unchanged(number):
    text = request("echo", echo="X").replace('"X"', number)
    lines, _ = run("\n".join([init(), text, ""]).encode())
    assert b'"echo":%s' % number.encode() in lines[1], lines[1]
    assert lines[1].split(b'"echo":')[1][len(number) :][:1] in (b",", b"}")


@pytest.mark.parametrize(
    "text",
    [
        r'"\u0000\u001f"',
        r'"\ud83d\ude00"',
        r'"\\\"\/\b\f\n\r\t"',
        '"\u2028\u2029\u007f"',
        '""',
    ],
)
def test_texts_mean_what_they_meant(text):
    [answer], _ = replies(request("echo", echo="X").replace('"X"', text))
    assert answer["echo"] == json.loads(text)


def test_white_space_inside_what_is_echoed_does_not_break_the_line():
    echo = json.dumps({"a": [1, {"b": "c d"}]}, indent=2)
    text = request("echo", echo="X").replace('"X"', echo)
    lines, _ = run((init() + "\n" + text + "\n").encode())
    assert len(lines) == 2
    assert messages.read(lines[1])["body"]["echo"] == {"a": [1, {"b": "c d"}]}
