"""Nodes as real processes, and the network between them, their clients and the service.

Every message has a delay drawn from the seed, so they overtake each other; between nodes, and
between nodes and the service, some are lost, and those between two that are cut off from each other
all are. A client's own way to its node only delays: each request must have its one answer. Nothing
is ever delivered twice.

One thread; the nodes' clocks are real, so is this one. What the seed fixes are the draws, in the
order in which messages come along.
"""
import heapq
import itertools
import random
import selectors
import time
from collections import deque
from dataclasses import dataclass

from world import messages
from world.lin_kv import LinKv
from world.node_process import NodeProcess
from world.rules import Rules, Violation

SERVICE = "lin-kv"
CONTROLLER = "c0"
START_SECONDS = 20
TURN_SECONDS_MAX = 0.05
JOURNAL_LINES = 60


@dataclass
class Faults:
    delay: float = 0.01  # seconds, between nodes and to the service; drawn from 0 to twice that
    loss: float = 0.0  # the share of messages lost


@dataclass
class Sent:
    """A client's request on its way."""

    asked: dict
    at: float
    patience: float
    stalled_before: float
    on_answer: object  # called with the answer's body or None, once
    timer: object = None


class Network:
    """`late`: nodes that are not told their names before `initialise` is called."""

    def __init__(self, count, seed, command=None, service=None, faults=None, late=()):
        self.random = random.Random(seed)
        self.seed = seed
        self.faults = faults or Faults()
        self.client_delay = 0.01  # as the faults' delay, between clients and their nodes
        self.names = [f"n{number}" for number in range(1, count + 1)]
        self.now = time.monotonic()
        self.lost = 0
        self._stalled = 0.0  # seconds in which this process should have run and did not
        self._cut = set()
        self._late = late
        self._service = service or LinKv()
        self._client_numbers = {}
        self._waiting = {}  # (client, msg_id): Sent
        self._due = []  # (time, order, function)
        self._order = itertools.count()
        self._watchers = []
        self._journal = deque(maxlen=JOURNAL_LINES)
        self._selector = selectors.DefaultSelector()
        self.nodes, self._rules = {}, {}
        print(f"seed {seed}")
        for name in self.names:
            self._start(name, command)

    def _start(self, name, command):
        node = NodeProcess(command) if command else NodeProcess()
        self.nodes[name] = node
        self._rules[name] = Rules(name, self.names, [SERVICE])
        self._selector.register(node.stdout, selectors.EVENT_READ, name)

    def __enter__(self):
        self.initialise([name for name in self.names if name not in self._late])
        return self

    def initialise(self, names):
        answers = []
        for name in names:
            body = {"type": "init", "node_id": name, "node_ids": self.names}
            self.ask(CONTROLLER, name, body, START_SECONDS, answers.append)
        self.run(lambda: len(answers) == len(names), START_SECONDS)
        assert all(answer and answer["type"] == "init_ok" for answer in answers), answers

    def __exit__(self, failure, *_):
        try:
            if failure is None:
                self._finish()
        finally:
            for node in self.nodes.values():
                node.kill()
            self._selector.close()

    def _finish(self):
        """The end of input: every node ends by itself, and has nothing unlawful left to say."""
        for name, node in self.nodes.items():
            node.finish()
            for line in node.lines():
                self._printed(name, line)
            open_requests = self._rules[name].unanswered()
            assert not open_requests, f"{name} never answered {open_requests}\n{self.story()}"

    # Time.

    def after(self, seconds, function):
        entry = [self.now + seconds, next(self._order), function]
        heapq.heappush(self._due, entry)
        return entry

    def run(self, until, within):
        """Turns until `until()` holds; fails when that takes longer than `within` seconds."""
        deadline = time.monotonic() + within
        while not until():
            assert time.monotonic() < deadline, f"not within {within} s\n{self.story()}"
            self._turn()

    def run_for(self, seconds):
        deadline = time.monotonic() + seconds
        self.run(lambda: time.monotonic() >= deadline, seconds + START_SECONDS)

    def _turn(self):
        due_in = self._due[0][0] - time.monotonic() if self._due else TURN_SECONDS_MAX
        wait = min(max(due_in, 0.0), TURN_SECONDS_MAX)
        begun = time.monotonic()
        ready = self._selector.select(wait)
        previous, self.now = self.now, time.monotonic()
        # What this turn took beyond what it meant to: the machine was busy with others.
        meant = wait if not ready else self.now - begun
        self._stalled += max(0.0, self.now - previous - meant - 0.002)
        for key, _ in ready:
            self._read(key.data)
        while self._due and self._due[0][0] <= self.now:
            function = heapq.heappop(self._due)[2]
            if function is not None:
                function()
        for node in self.nodes.values():
            node.flush()

    # Faults.

    def cut(self, pairs):
        self._note(f"cut {sorted(pairs)}")
        self._cut = set(pairs)

    def heal(self):
        self._note("healed")
        self._cut = set()

    def watch(self, function):
        """It is called with each message between nodes, and to and from the service."""
        self._watchers.append(function)

    def _delay(self, mean):
        return self.random.uniform(0, 2 * mean)

    # Clients.

    def ask(self, client, node, body, patience, on_answer):
        """Sends a client's request; `on_answer` gets the body that comes back, or None when the
        client has given up."""
        number = self._client_numbers.setdefault(client, itertools.count(1))
        body = {**body, "msg_id": next(number)}
        sent = Sent(body, self.now, patience, self._stalled, on_answer)
        key = (client, body["msg_id"])
        self._waiting[key] = sent
        # Its node must speak in time; the way back may take longer.
        grace = 4 * self.client_delay + TURN_SECONDS_MAX
        sent.timer = self.after(patience + grace, lambda: self._give_up(key))
        message = {"src": client, "dest": node, "body": body}
        self._rules[node].clients.add(client)
        arrives_in = self._delay(self.client_delay)
        self.after(arrives_in, lambda: self._deliver(message, sent.at + patience))

    def _give_up(self, key):
        sent = self._waiting.pop(key)
        stalled = self._stalled - sent.stalled_before
        if stalled > 0:
            self._waiting[key] = sent
            sent.stalled_before = self._stalled
            sent.timer = self.after(stalled, lambda: self._give_up(key))
            return
        self._note(f"{key} gave up")
        sent.on_answer(None)

    def _receive(self, message):
        body = message["body"]
        sent = self._waiting.pop((message["dest"], body["in_reply_to"]), None)
        if sent is not None:
            sent.timer[2] = None
            sent.on_answer(body)

    # Messages.

    def _read(self, name):
        node = self.nodes[name]
        for line in node.lines():
            self._printed(name, line)
        if node.ended:
            raise Violation(f"{name} ended, seed {self.seed}\n{node.tail()}\n{self.story()}")

    def _printed(self, name, line):
        try:
            message = self._rules[name].printed(line, self.now, self._stood_still)
        except Violation as problem:
            raise Violation(f"{problem}\n{self.story()}") from None
        self._note(f"{name} -> {line.decode()[:300]}")
        self._route(message)

    def _stood_still(self, client, number):
        """Seconds for which this process was kept from running while that request was open."""
        sent = self._waiting.get((client, number))
        return self._stalled - sent.stalled_before if sent else 0.0

    def _route(self, message):
        dest = message["dest"]
        if dest in self.nodes or dest == SERVICE:
            self._through_faults(message)
        else:
            self.after(self._delay(self.client_delay), lambda: self._receive(message))

    def _through_faults(self, message):
        for watcher in self._watchers:
            watcher(message)
        if self.random.random() < self.faults.loss:
            self.lost += 1
            return
        self.after(self._delay(self.faults.delay), lambda: self._arrive(message))

    def _arrive(self, message):
        if (message["src"], message["dest"]) in self._cut:
            self.lost += 1
        elif message["dest"] == SERVICE:
            self._serve(message)
        else:
            self._deliver(message)

    def _serve(self, message):
        # The public bench's services do not number what they say.
        answer = self._service.answer(message["body"])
        answer["in_reply_to"] = message["body"]["msg_id"]
        self._through_faults({"src": SERVICE, "dest": message["src"], "body": answer})

    def _deliver(self, message, gives_up_at=float("inf")):
        name = message["dest"]
        text = messages.compact({"id": next(self._order), **message})
        self._note(f"{name} <- {text[:300]}")
        self._rules[name].delivered(message, gives_up_at)
        self.nodes[name].write(text.encode() + b"\n")

    # What happened.

    def _note(self, what):
        self._journal.append(f"{self.now:.4f} {what}")

    def story(self):
        last = "\n".join(self._journal)
        return f"seed {self.seed}, {self.lost} messages lost; the last lines:\n{last}"
