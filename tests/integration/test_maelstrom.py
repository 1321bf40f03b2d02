"""The Maelstrom node as a harness drives it: lines on stdin, lines on stdout, nothing else on
stdout."""
import json
import os
import pty
import select
import shutil
import subprocess
import tty
from pathlib import Path

import pytest

from support.processes import end, spawn
from support.sluice import EXECUTABLE

INIT = '{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}'
INIT_OK = '{"src":"n1","dest":"c0","body":{"type":"init_ok","in_reply_to":1,"msg_id":0}}'
SECONDS = 10
NOT_SUPPORTED, UNAVAILABLE, MALFORMED = 10, 11, 12


def node(text, command=(EXECUTABLE, "maelstrom")):
    """Runs a node on that input to its end: (lines of stdout, stderr)."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def message(kind, number=2, **body):
    return json.dumps({"src": "c1", "dest": "n1", "body": {"type": kind, "msg_id": number, **body}})


def bodies(lines):
    return [json.loads(line)["body"] for line in lines]


def after_init(*messages):
    """What a node that was initialised says to these."""
    lines, errors = node("\n".join([INIT, *messages]) + "\n")
    assert lines[0] == INIT_OK
    return lines[1:], errors


def from_pipe(tmp_path):
    return node(INIT + "\n")[0]


def from_file(tmp_path):
    (tmp_path / "input").write_text(INIT + "\n")
    with open(tmp_path / "input") as file:
        done = subprocess.run(
            [EXECUTABLE, "maelstrom"], stdin=file, capture_output=True, text=True, timeout=SECONDS
        )
    assert done.returncode == 0
    return done.stdout.splitlines()


def from_terminal(tmp_path):
    try:
        controller, terminal = pty.openpty()
    except OSError as problem:
        pytest.skip(f"no terminals here: {problem}")
    process = spawn([EXECUTABLE, "maelstrom"], stdin=terminal, stdout=subprocess.PIPE)
    try:
        os.close(terminal)
        os.write(controller, INIT.encode() + b"\n")
        line = read_line(process)
        os.write(controller, b"\x04")
        assert process.wait(SECONDS) == 0
        return [line]
    finally:
        os.close(controller)
        end(process)


def read_line(process):
    assert select.select([process.stdout], [], [], SECONDS)[0], "no answer"
    return process.stdout.readline().decode().rstrip("\n")


@pytest.mark.parametrize("source", [from_pipe, from_file, from_terminal])
def test_the_documented_lines_match_byte_for_byte(source, tmp_path):
    assert source(tmp_path) == [INIT_OK]


def test_a_raw_terminal_works_too():
    controller, terminal = pty.openpty()
    tty.setraw(terminal)
    process = spawn([EXECUTABLE, "maelstrom"], stdin=terminal, stdout=subprocess.PIPE)
    try:
        os.close(terminal)
        os.write(controller, INIT.encode() + b"\n")
        assert read_line(process) == INIT_OK
        os.close(controller)
        controller = -1
        process.wait(SECONDS)
    finally:
        if controller >= 0:
            os.close(controller)
        end(process)


def test_each_answer_is_flushed_at_once():
    process = spawn([EXECUTABLE, "maelstrom"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        for sent, expected in ((INIT, INIT_OK), (message("echo", echo="x"), None)):
            process.stdin.write(sent.encode() + b"\n")
            process.stdin.flush()
            line = read_line(process)
            assert expected in (None, line)
        assert json.loads(line)["body"]["echo"] == "x"
        process.stdin.close()
        assert process.wait(SECONDS) == 0
    finally:
        end(process)


@pytest.mark.parametrize(
    "value",
    [
        "hello",
        "",
        7,
        -1.5,
        None,
        True,
        [1, [2, {}]],
        {"b": 1, "a": [None]},
        'ü\n"\\\u0001😀',
        12345678901234567890,
    ],
)
def test_an_echo_comes_back_as_it_went(value):
    [reply] = bodies(after_init(message("echo", 5, echo=value))[0])
    assert reply["type"] == "echo_ok" and reply["echo"] == value
    assert (reply["in_reply_to"], reply["msg_id"]) == (5, 1)


def test_a_megabyte_is_echoed():
    [reply] = bodies(after_init(message("echo", echo="x" * 1_000_000))[0])
    assert reply["echo"] == "x" * 1_000_000


def test_the_numbers_of_its_messages_start_at_zero_and_grow_by_one():
    lines, _ = after_init(*(message("echo", number, echo=number) for number in range(2, 202)))
    assert [(body["msg_id"], body["in_reply_to"], body["echo"]) for body in bodies(lines)] == [
        (number - 1, number, number) for number in range(2, 202)
    ]


def test_a_topology_is_acknowledged():
    [reply] = bodies(after_init(message("topology", topology={"n1": []}))[0])
    assert reply["type"] == "topology_ok" and reply["in_reply_to"] == 2


def test_replies_go_from_the_node_to_whoever_asked_without_spaces():
    lines, _ = after_init(message("topology", 3, topology={}))
    assert lines == [
        '{"src":"n1","dest":"c1","body":{"type":"topology_ok","in_reply_to":3,"msg_id":1}}'
    ]


def test_status_tells_of_the_backends():
    [reply] = bodies(after_init(message("status"))[0])
    assert reply["type"] == "status_ok" and isinstance(reply["backends"], list)


def test_an_unknown_type_is_error_10():
    assert_error(after_init(message("no_such_type"))[0], NOT_SUPPORTED)


def test_before_init_everything_else_is_error_11():
    lines, _ = node(
        message("echo", echo="early") + "\n" + INIT + "\n" + message("echo", 3, echo="late") + "\n"
    )
    assert_error(lines[:1], UNAVAILABLE)
    replies = bodies(lines[1:])
    assert [reply["type"] for reply in replies] == ["init_ok", "echo_ok"]


def test_a_second_init_is_error_12():
    lines, _ = after_init(INIT.replace('"msg_id":1', '"msg_id":2'))
    assert_error(lines, MALFORMED)


@pytest.mark.parametrize(
    "body",
    [
        '{"msg_id":2}',
        '{"type":7,"msg_id":2}',
        '{"type":"echo","msg_id":2}',
        '{"type":"init","msg_id":2}',
    ],
)
def test_a_request_without_what_it_needs_is_error_12(body):
    lines, errors = after_init(
        '{"src":"c1","dest":"n1","body":%s}' % body, message("echo", 9, echo="on")
    )
    assert_error(lines[:1], MALFORMED)
    assert bodies(lines)[-1]["echo"] == "on"


def test_the_text_of_an_error_is_told_and_its_keys_are_in_order():
    lines, _ = after_init(message("no_such_type", 4))
    assert list(bodies(lines)[0])[:4] == ["type", "in_reply_to", "code", "text"]
    assert bodies(lines)[0]["text"]


def assert_error(lines, code):
    [body] = bodies(lines)
    assert (body["type"], body["in_reply_to"], body["code"]) == ("error", 2, code), body
    assert body["text"]


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        '{"src":',
        "[1,2,3]",
        '"text"',
        "{}}",
        "\x00\x01",
        '{"src":"c1"}',
        '{"src":"c1","dest":"n1","body":7}',
        "nul",
        "}",
    ],
)
def test_a_line_that_is_no_message_is_reported_on_stderr_and_skipped(line):
    lines, errors = after_init(line, message("echo", 3, echo="next"))
    assert [body["type"] for body in bodies(lines)] == ["echo_ok"]
    assert errors, "said on stderr"


def test_a_good_input_leaves_stderr_without_errors():
    _, errors = after_init(message("echo", 3, echo="fine"))
    assert "error" not in errors.lower()


@pytest.mark.parametrize("indent", [0, 1, 4])
def test_pretty_printed_input_is_read(indent):
    text = "\n\n".join(
        json.dumps(json.loads(line), indent=indent)
        for line in (INIT, message("echo", echo='}{\n"'))
    )
    lines, errors = node(text + "\n")
    assert lines[0] == INIT_OK and bodies(lines)[1]["echo"] == '}{\n"'
    assert "error" not in errors.lower()


def test_a_complete_line_discards_unfinished_text_before_it():
    lines, errors = after_init('{"src":"c1","dest":"n1",', message("echo", 3, echo="whole"))
    assert [body["echo"] for body in bodies(lines)] == ["whole"]
    assert errors


def test_several_messages_on_one_line_are_all_answered():
    lines, _ = node(INIT + message("echo", 2, echo=1) + " " + message("echo", 3, echo=2) + "\n")
    assert [body.get("echo") for body in bodies(lines)] == [None, 1, 2]


def test_a_last_message_without_newline_is_answered():
    assert node(INIT)[0] == [INIT_OK]


def test_the_end_of_input_alone_is_a_clean_exit():
    assert node("") == ([], "") or node("")[0] == []


def test_unfinished_text_at_the_end_is_reported():
    lines, errors = after_init('{"src":"c1","dest":')
    assert lines == [] and errors


def test_keys_in_any_order_with_extra_ones_and_spaces_are_read():
    lines, _ = node(
        ' {"id": 7, "body" : {"node_ids": ["n1"], "extra": {"type": "echo"}, "node_id": "n1",'
        ' "msg_id": 1, "type": "init"}, "dest": "n1", "src": "c0"} \n'
    )
    assert lines == [INIT_OK]


def test_a_message_without_number_gets_no_reply():
    lines, _ = after_init(
        '{"src":"c1","dest":"n1","body":{"type":"echo","echo":"quiet"}}',
        message("echo", 3, echo="loud"),
    )
    assert [body["echo"] for body in bodies(lines)] == ["loud"]


def test_ten_thousand_messages_are_answered_in_order():
    count = 10_000
    lines, _ = after_init(*(message("echo", number, echo=number) for number in range(count)))
    assert [body["echo"] for body in bodies(lines)] == list(range(count))


def test_input_in_single_bytes_is_read():
    process = spawn(
        [EXECUTABLE, "maelstrom"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    try:
        for byte in INIT.encode():
            process.stdin.write(bytes([byte]))
        assert read_line(process) == INIT_OK, "at the closing brace, without a newline"
        process.stdin.close()
        assert process.wait(SECONDS) == 0
    finally:
        end(process)


def test_a_link_named_sluice_maelstrom_is_the_node_without_an_argument(tmp_path):
    executable = Path(shutil.which(EXECUTABLE) or EXECUTABLE).resolve()
    (tmp_path / "sluice-maelstrom").symlink_to(executable)
    assert node(INIT + "\n", [str(tmp_path / "sluice-maelstrom")])[0] == [INIT_OK]


def test_the_build_makes_that_link():
    link = Path(shutil.which(EXECUTABLE) or EXECUTABLE).parent / "sluice-maelstrom"
    assert link.exists()
    # Resolved, as the public bench starts it.
    assert node(INIT + "\n", [str(link.resolve())])[0] == [INIT_OK]


def test_a_reader_that_goes_away_ends_the_node_without_a_crash():
    process = spawn(
        [EXECUTABLE, "maelstrom"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        process.stdout.close()
        try:
            process.stdin.write((INIT + "\n").encode() * 100)
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdin = None
        assert process.wait(SECONDS) >= 0, "an exit, not a signal"
    finally:
        end(process)
