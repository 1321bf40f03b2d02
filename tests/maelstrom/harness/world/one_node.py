"""A node on a given input, to its end."""
import shutil
import subprocess

from support.processes import end, spawn
from support.sluice import EXECUTABLE

from world import messages

SECONDS = 20


def run(data, *arguments, within=SECONDS):
    """(lines of stdout as bytes, stderr); the node must end by itself, with status 0."""
    process = spawn(
        [EXECUTABLE, "maelstrom", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        output, errors = process.communicate(data, within)
    finally:
        end(process)
    errors = errors.decode(errors="replace")
    assert process.returncode == 0, errors
    assert not output or output.endswith(b"\n"), "a last line without newline"
    return output.split(b"\n")[:-1], errors


def replies(*lines, nodes=("n1",), arguments=(), newline=b"\n"):
    """The bodies that an initialised node answers to those lines, and its stderr."""
    data = newline.join([messages.init(nodes=nodes).encode(), *map(encoded, lines), b""])
    printed, errors = run(data, *arguments)
    bodies = [messages.read(line)["body"] for line in printed]
    assert bodies[0] == {"type": "init_ok", "in_reply_to": 1, "msg_id": 0}, bodies[0]
    assert [body["msg_id"] for body in bodies] == list(range(len(bodies)))
    return bodies[1:], errors


def encoded(line):
    return line if isinstance(line, bytes) else line.encode()


def goes_on(bodies):
    """The last request, an echo of "on" with msg_id 3, is answered as if nothing had been; returns
    the answers before it."""
    assert bodies and bodies[-1]["type"] == "echo_ok", bodies
    assert (bodies[-1]["in_reply_to"], bodies[-1]["echo"]) == (3, "on")
    return bodies[:-1]


def optimised():
    """Whether what the program costs says anything: no sanitizers, no debugging build."""
    version = subprocess.run([EXECUTABLE, "--version"], capture_output=True, text=True).stdout
    with open(shutil.which(EXECUTABLE) or EXECUTABLE, "rb") as file:
        program = file.read()
    marks = (b"__asan_init", b"__tsan_init", b"__ubsan_handle")
    return "debug" not in version and not any(mark in program for mark in marks)
