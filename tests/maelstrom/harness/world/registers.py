"""The workload lin-kv: operations on a few registers, and what the clients saw."""
import itertools
from collections import Counter, defaultdict

from world.client import Client
from world.linearizability import operation, why_not_linearizable

PATIENCE = 1.0  # the public bench's: a second, or ten latencies
KEYS = (0, 1, "text")


class Registers:
    """Draws operations on a few keys; each written value is written once. Keeps what was seen."""

    def __init__(self, network):
        self._network = network
        self._values = itertools.count(1)
        self._last = dict.fromkeys(KEYS, 0)  # some recent value, for swaps that succeed
        self.histories = defaultdict(list)
        self.ends = Counter()  # (kind, how it ended)

    def draw(self):
        random_source = self._network.random
        key = random_source.choice(KEYS)
        node = random_source.choice(self._network.names)
        kind = random_source.choice(["read", "read", "write", "cas"])
        body = {"type": kind, "key": key}
        if kind == "write":
            body["value"] = next(self._values)
        elif kind == "cas":
            body.update({"from": self._last[key], "to": next(self._values)})
        return node, body

    def seen(self, body, answer, called, returned):
        assert answer is not None, f"never answered: {body}\n{self._network.story()}"
        how = answer["code"] if answer["type"] == "error" else "ok"
        self.ends[body["type"], how] += 1
        if how == "ok":
            name = {"read": "value", "write": "value", "cas": "to"}[body["type"]]
            self._last[body["key"]] = (answer if body["type"] == "read" else body)[name]
        done = operation(body, answer, called, returned)
        if done is not None:
            self.histories[body["key"]].append(done)

    def check(self):
        for key, history in self.histories.items():
            why = why_not_linearizable(history)
            assert why is None, f"key {key!r}, seed {self._network.seed}: {why}"


def start(network, registers, count):
    clients = [
        Client(network, f"c{number}", registers.draw, registers.seen, PATIENCE)
        for number in range(1, count + 1)
    ]
    for client in clients:
        client.start()
    return clients
