"""stdin and stdout as streams: big lines, a reader that is gone or does not read, the end."""
import os
import select
import signal
import subprocess
import time

import pytest
from support.processes import end, spawn
from support.sluice import EXECUTABLE
from support.waiting import eventually

from world import messages
from world.messages import init, request
from world.network import SERVICE
from world.node_process import NodeProcess
from world.one_node import optimised, run

SECONDS = 20
BIG_BYTES = 16 << 20
# What it may hold back when nobody reads: far above what it needs, far below what is sent.
HELD_BYTES_MAX = 64 << 20
SENT_BYTES = 256 << 20
# What requests that wait for an answer may cost together.
WAITING_BYTES_MAX = 128 << 20


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def test_sixteen_mebibytes_are_echoed():
    content = "x" * (BIG_BYTES - 1000) + "ü€😀"
    lines, _ = run("\n".join([init(), request("echo", echo=content), ""]).encode())
    assert len(lines) == 2
    assert messages.read(lines[1])["body"]["echo"] == content


def test_what_is_longer_than_it_takes_is_told_and_the_next_line_counts():
    huge = request("echo", 2, echo="x" * (BIG_BYTES * 3))
    lines, errors = run("\n".join([init(), huge, request("echo", 3, echo="on"), ""]).encode())
    last = messages.read(lines[-1])["body"]
    assert (last["in_reply_to"], last["echo"]) == (3, "on")
    assert len(lines) == 3 or errors.strip()


def start(stdout=subprocess.PIPE):
    return spawn(
        [EXECUTABLE, "maelstrom"],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        bufsize=0,
    )


def write_until_broken(process, data, count):
    try:
        for _ in range(count):
            process.stdin.write(data)
        process.stdin.close()
    except BrokenPipeError:
        pass
    process.stdin = None


@pytest.mark.parametrize("count", [1, 100_000])
def test_a_stdout_that_was_closed_is_a_clean_exit(count):
    process = start()
    try:
        process.stdout.close()
        echo = request("echo", echo="x").encode() + b"\n"
        write_until_broken(process, init().encode() + b"\n" + echo * count, 1)
        status = process.wait(SECONDS)
        assert status in (0, 3), "an exit as the contract has it, no signal"
    finally:
        end(process)


def test_a_stdout_closed_in_the_middle_is_a_clean_exit():
    process = start()
    try:
        process.stdin.write(init().encode() + b"\n")
        assert select.select([process.stdout], [], [], SECONDS)[0]
        process.stdout.close()
        write_until_broken(process, request("echo", echo="x" * 10_000).encode() + b"\n", 100)
        assert process.wait(SECONDS) in (0, 3)
    finally:
        end(process)


def test_a_reader_that_does_not_read_costs_bounded_memory_and_loses_nothing():
    if not optimised():
        pytest.skip("sanitizers keep freed memory")
    echo = request("echo", echo="x" * 65_000).encode() + b"\n"
    process = start()
    try:
        process.stdin.write(init().encode() + b"\n")
        os.set_blocking(process.stdin.fileno(), False)
        written, pending = 0, echo
        while written < SENT_BYTES:
            _, writable, _ = select.select([], [process.stdin], [], 1.0)
            if not writable:
                break  # it takes no more, for a whole second
            pending = pending[os.write(process.stdin.fileno(), pending) :] or echo
            written += 1
            assert resident_bytes(process.pid) < HELD_BYTES_MAX, written
        assert written < SENT_BYTES, "it stopped reading"
        assert process.poll() is None
        # Now somebody reads: everything that was taken is answered.
        os.set_blocking(process.stdin.fileno(), True)
        rest = b"" if pending == echo else pending
        output = read_while_closing(process, rest)
        lines = output.split(b"\n")[:-1]
        numbers = [messages.read(line)["body"]["msg_id"] for line in lines]
        assert numbers == list(range(len(lines))) and len(lines) > 1
        assert process.wait(SECONDS) == 0
    finally:
        end(process)


def read_while_closing(process, rest):
    output, _ = process.communicate(rest, SECONDS)
    return output


def test_requests_that_nobody_answers_cost_bounded_memory_and_have_one_answer_each():
    if not optimised():
        pytest.skip("sanitizers keep freed memory")
    count = 2 * WAITING_BYTES_MAX // 100_000
    node = NodeProcess([EXECUTABLE, "maelstrom", "--manual-clock"])
    try:
        node.write(init().encode() + b"\n")
        answers, most = [], 0
        for number in range(2, count + 2):
            node.write(request("write", number, key=1, value="x" * 100_000).encode() + b"\n")
            written = lambda: answers.extend(answers_to_client(node)) or not node.wants_write
            eventually(written, within=SECONDS, every=0.0002)
            most = max(most, resident_bytes(node.process.pid))
        advance = request("advance", count + 2, ms=60_000)
        node.write(advance.encode() + b"\n")
        eventually(
            lambda: answers.extend(answers_to_client(node)) or len(answers) > count, within=SECONDS
        )
        assert sorted(body["in_reply_to"] for body in answers) == list(range(2, count + 3))
        print(f"{most >> 20} MiB at most")
        assert most < WAITING_BYTES_MAX, most
        node.finish()
    finally:
        node.kill()


def answers_to_client(node):
    node.flush()
    ours = [line for line in node.lines() if b'"dest":"c1"' in line[:100]]
    return [messages.read(line)["body"] for line in ours]


def test_a_stopped_reader_through_a_pipe_of_a_page_still_gets_whole_lines():
    read_end, write_end = os.pipe()
    process = start(stdout=write_end)
    os.close(write_end)
    try:
        process.stdin.write(init().encode() + b"\n" + request("echo", echo="y" * 500_000).encode())
        process.stdin.close()
        process.stdin = None
        collected = b""
        while piece := os.read(read_end, 4096):
            collected += piece
        assert process.wait(SECONDS) == 0
        lines = collected.split(b"\n")
        assert len(lines) == 3 and messages.read(lines[1])["body"]["echo"] == "y" * 500_000
    finally:
        os.close(read_end)
        end(process)


def test_the_end_of_input_alone_is_a_clean_exit():
    assert run(b"") == ([], "")


def next_lines(node, count):
    found = []

    def arrived():
        found.extend(node.lines())
        return len(found) >= count or node.ended

    eventually(arrived, within=SECONDS, what=lambda: f"{count} lines\n{node.tail()}")
    return [messages.read(line) for line in found]


def test_at_the_end_of_input_an_answer_that_has_come_is_still_carried_back():
    node = NodeProcess()
    try:
        node.write((init() + "\n" + request("read", 5, key=1) + "\n").encode())
        _, asked = next_lines(node, 2)
        assert asked["dest"] == SERVICE
        found = {"type": "read_ok", "in_reply_to": asked["body"]["msg_id"], "value": 3}
        node.write(messages.line(SERVICE, "n1", found).encode())
        node.finish()
        [answer] = next_lines(node, 1)
        assert answer["dest"] == "c1"
        assert (answer["body"]["in_reply_to"], answer["body"]["value"]) == (5, 3)
    finally:
        node.kill()


def test_at_the_end_of_input_what_is_in_flight_has_its_one_answer():
    node = NodeProcess()
    try:
        node.write((init(nodes=["n1", "n2"]) + "\n" + request("read", 5, key=1) + "\n").encode())
        eventually(lambda: any(SERVICE.encode() in line for line in node.lines()), within=SECONDS)
        node.finish()
        answers = [messages.read(line) for line in node.lines()]
        assert [answer["dest"] for answer in answers].count("c1") == 1
        assert answers[-1]["body"]["in_reply_to"] == 5
        assert answers[-1]["body"]["code"] == messages.TIMEOUT
    finally:
        node.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(number):
    node = NodeProcess()
    try:
        node.write(init().encode() + b"\n")
        next_lines(node, 1)
        node.process.send_signal(number)
        assert node.process.wait(SECONDS) in (0, -number)
    finally:
        node.kill()


def test_an_idle_node_uses_no_cpu_time():
    node = NodeProcess()
    try:
        node.write((init(nodes=["n1", "n2", "n3"]) + "\n").encode())
        next_lines(node, 1)
        before = cpu_seconds(node.process.pid)
        time.sleep(2)  # what is measured is that nothing happens
        assert cpu_seconds(node.process.pid) - before < 0.1
    finally:
        node.kill()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
