"""Nodes under `--manual-clock`, and a network without delay: what is said next follows from what
was said before, so there is nothing to draw and nothing to wait for.

A line that a node is given is followed by a question it answers at once; what it printed before
that answer is what the line made it say.
"""
import itertools
import time
from collections import deque

from support.sluice import EXECUTABLE

from world import messages
from world.node_process import NodeProcess
from world.rules import Rules

LINE_SECONDS = 10
FENCE = "c99"
CLIENT = "c1"
HOPS_MAX = 10_000


class ManualWorld:
    """`started`: those of the nodes that are real; the others are played by the test."""

    def __init__(self, names, arguments=(), started=None, service="lin-kv"):
        self._all_names = names
        self._command = [EXECUTABLE, "maelstrom", "--manual-clock", *arguments]
        self._service = service
        self.names = names if started is None else started
        self.journal = []  # all lines, in and out, without the questions in between
        self.cut = set()  # pairs (from, to)
        self.answers = {}  # a client's msg_id: the body it got
        self.asked = 0  # the last client's msg_id
        self._nodes, self._rules, self._fences = {}, {}, itertools.count(1)

    def __enter__(self):
        for name in self.names:
            self._nodes[name] = NodeProcess(self._command)
            self._rules[name] = Rules(name, self._all_names, [self._service], [CLIENT, FENCE])
        for name in self.names:
            self.ask(name, "init", node_id=name, node_ids=self._all_names)
        return self

    def __exit__(self, failure, *_):
        try:
            if failure is None:
                for node in self._nodes.values():
                    node.finish()
        finally:
            for node in self._nodes.values():
                node.kill()

    def ask(self, name, kind, **fields):
        """A client's request, with all that follows from it between the nodes; the answer's body,
        or None when there is none yet."""
        self.asked += 1
        number = self.asked
        body = {"type": kind, "msg_id": number, **fields}
        self._carry({"src": CLIENT, "dest": name, "body": body})
        return self.answers.get(number)

    def advance(self, ms, step=100):
        """Every clock, in small steps, so that what is sent arrives near its time."""
        for _ in range(0, ms, step):
            for name in self.names:
                assert self.ask(name, "advance", ms=step)["type"] == "advance_ok"

    def status(self, name):
        return {peer["name"]: peer for peer in self.ask(name, "status")["backends"]}

    def _carry(self, message):
        waiting = deque([message])
        for _ in range(HOPS_MAX):
            if not waiting:
                return
            message = waiting.popleft()
            dest = message["dest"]
            if dest == CLIENT:
                self.answers[message["body"]["in_reply_to"]] = message["body"]
            elif dest in self._nodes and (message["src"], dest) not in self.cut:
                waiting += self.say(message)
        raise AssertionError("messages without end")

    def say(self, message):
        """Gives that line to its node: the messages it prints because of it."""
        name, text = message["dest"], messages.compact(message)
        self.journal.append("<- " + text)
        node, rules = self._nodes[name], self._rules[name]
        rules.delivered(message)
        number = next(self._fences)
        fence = {"src": FENCE, "dest": name, "body": {"type": "topology", "msg_id": number}}
        fence["body"]["topology"] = {}
        if message["body"]["type"] != "init":
            rules.delivered(fence)
            node.write((text + "\n" + messages.compact(fence) + "\n").encode())
            return self._until(name, lambda printed: printed["dest"] == FENCE)
        node.write(text.encode() + b"\n")
        return self._until(name, lambda printed: printed["body"]["type"] == "init_ok", keep=True)

    def _until(self, name, is_last, keep=False):
        node, rules = self._nodes[name], self._rules[name]
        found, deadline = [], time.monotonic() + LINE_SECONDS
        while True:
            for line in node.lines():
                printed = rules.printed(line)
                if is_last(printed):
                    return found + [printed] if keep else found
                self.journal.append("-> " + line.decode())
                found.append(printed)
            assert not node.ended and time.monotonic() < deadline, (
                f"{name} stopped answering\n{node.tail()}"
            )
            time.sleep(0.0002)
