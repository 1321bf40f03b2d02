"""A million lines. What counts is the node's own CPU time: the machine may be busy with others, and
this process has to write and read as much."""
import os
import resource
import subprocess
import threading
import time

import pytest
from support.processes import end, spawn
from support.sluice import EXECUTABLE

from world.messages import init, read
from world.one_node import optimised

LINES = 1_000_000
RATE_MIN = 200_000  # lines a second
CPU_SECONDS_MAX = LINES / RATE_MIN
WALL_SECONDS_MAX = 60
READ_BYTES = 1 << 20


def echo_lines(first, count):
    return b"".join(
        b'{"id":%d,"src":"c1","dest":"n1","body":{"type":"echo","msg_id":%d,"echo":"hello %d"}}\n'
        % (number, number, number)
        for number in range(first, first + count)
    )


def feed(process, blocks):
    for block in blocks:
        process.stdin.write(block)
    process.stdin.close()


def test_a_million_echoes_go_through_at_over_200_000_a_second():
    if not optimised():
        pytest.skip("a build with sanitizers or without optimisation: its speed says nothing")
    blocks = [(init() + "\n").encode()]
    blocks += [echo_lines(first, 10_000) for first in range(0, LINES, 10_000)]
    process = spawn(
        [EXECUTABLE, "maelstrom"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    writer = threading.Thread(target=feed, args=(process, blocks))
    try:
        writer.start()
        count, tail = 0, b""
        while piece := os.read(process.stdout.fileno(), READ_BYTES):
            count += piece.count(b"\n")
            tail = (tail + piece)[-500:]
        assert process.wait(WALL_SECONDS_MAX) == 0
    finally:
        end(process)
        writer.join()
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{LINES / cpu:,.0f} lines a second of CPU time, {LINES / wall:,.0f} by the clock")
    assert count == LINES + 1
    last = read(tail.rstrip(b"\n").rpartition(b"\n")[2])
    assert (last["body"]["in_reply_to"], last["body"]["msg_id"]) == (LINES - 1, LINES)
    if cpu > CPU_SECONDS_MAX and wall > 3 * cpu:
        pytest.skip(f"the machine is too busy: {wall:.1f} s by the clock for {cpu:.1f} s of work")
    assert cpu < CPU_SECONDS_MAX, f"{cpu:.2f} s of CPU time for {LINES} lines"
