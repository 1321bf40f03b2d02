"""A dialogue with a node, written down line by line.

    # a comment, anywhere
    $ maelstrom --manual-clock
    <- a line that the node is given
    -> a line that it must print next

`$` gives the program's arguments; a file's name is looked for beside the transcript. What the node
prints must be just those lines, in that order, each after the input above it and before the next:
`"text":"…"` stands for any text that is not empty, every other byte must be the same. After the
last line its input ends, and it must exit with 0.
"""
import re
import time
from pathlib import Path
from typing import NamedTuple

from support.sluice import EXECUTABLE

from world.node_process import NodeProcess

LINE_SECONDS = 10
ANY_TEXT = re.escape('"text":"…"')
SOME_TEXT = r'"text":"(?:[^"\\]|\\.)+"'


class Entry(NamedTuple):
    number: int
    mark: str
    text: str


class Transcript(NamedTuple):
    arguments: list
    entries: list


def parse(text):
    arguments, entries = [], []
    for number, line in enumerate(text.splitlines(), 1):
        mark, _, rest = line.partition(" ")
        if not line or mark.startswith("#"):
            continue
        if mark == "$":
            arguments = rest.split()
        elif mark in ("<-", "->"):
            entries.append(Entry(number, mark, rest))
        else:
            raise ValueError(f"line {number}: begins with none of # $ <- ->")
    if not any(entry.mark == "->" for entry in entries):
        raise ValueError("expects nothing")
    return Transcript(arguments, entries)


def play(transcript, directory=Path()):
    """Fails with the place where the node says something else."""
    words = [
        str(directory / word) if (directory / word).is_file() else word
        for word in transcript.arguments
    ]
    node = NodeProcess([EXECUTABLE, *words])
    try:
        printed = _Printed(node)
        for entry in transcript.entries:
            if entry.mark == "<-":
                printed.nothing_more(entry)
                node.write(entry.text.encode() + b"\n")
            else:
                line = printed.next(entry)
                assert matches(entry.text, line), (
                    f"line {entry.number}\nexpected {entry.text}\nprinted  {line}\n{node.tail()}"
                )
        node.finish()
        printed.nothing_more(transcript.entries[-1])
    finally:
        node.kill()


def matches(expected, line):
    return re.fullmatch(re.escape(expected).replace(ANY_TEXT, SOME_TEXT), line) is not None


class _Printed:
    def __init__(self, node):
        self._node = node
        self._lines = []

    def next(self, entry):
        deadline = time.monotonic() + LINE_SECONDS
        while not self._lines:
            self._lines += self._node.lines()
            assert not self._node.ended or self._lines, (
                f"line {entry.number}: the node has ended\n{self._node.tail()}"
            )
            assert time.monotonic() < deadline, (
                f"line {entry.number}: nothing was printed, expected {entry.text}"
            )
            if not self._lines:
                time.sleep(0.001)
        return self._lines.pop(0).decode()

    def nothing_more(self, entry):
        self._lines += self._node.lines()
        assert not self._lines, f"before line {entry.number} it also printed {self._lines}"
