"""The Maelstrom node under load: a reader that does not read, a line of 16 MiB, a million lines."""
import json
import os
import select
import signal
import threading
import time

import pytest

from support import kernel
from support.node import SECONDS, Node
from support.processes import spawn
from support.sluice import EXECUTABLE, WRAPPER
from support.waiting import always

LINES = 1_000_000
LINES_PER_SECOND = 200_000


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
