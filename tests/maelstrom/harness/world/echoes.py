"""The workload echo: what is asked, and what became of each request."""
from collections import Counter, deque
from dataclasses import dataclass

from world import messages
from world.client import Client
from world.network import CONTROLLER

PATIENCE = 5.0  # the public bench's, for echo
# Probes of unhealthy peers a second apart, two of them, and the requests that had been under way.
RECOVERY_SECONDS = 15
HONEST = {messages.TIMEOUT, messages.UNAVAILABLE}
TEXTS = ("", "plain", "ünï €😀", '"}{\\\n', "\u0001\u2028", "x" * 5000)


@dataclass
class Seen:
    node: str
    took: float
    code: object  # None when it was echoed, else the error's code


class Echoes:
    def __init__(self, network):
        self._network = network
        self._asked = 0
        self._to = {}  # the echo's number: the node that was asked
        self.seen = []
        self.latest = {name: deque(maxlen=10) for name in network.names}

    def draw_from(self, nodes):
        """Requests to these nodes."""

        def draw():
            random_source = self._network.random
            self._asked += 1
            node = random_source.choice(nodes)
            self._to[self._asked] = node
            content = [random_source.choice(TEXTS), random_source.random(), None, True]
            return node, {"type": "echo", "echo": {"number": self._asked, "content": content}}

        return draw

    def ended(self, body, answer, called, returned):
        node = self._to[body["echo"]["number"]]
        assert answer is not None, f"{node} never answered {body}\n{self._network.story()}"
        code = None
        if answer["type"] == "error":
            code = answer["code"]
            assert code in HONEST, f"{node} answered {answer}\n{self._network.story()}"
        else:
            assert answer["echo"] == body["echo"], f"{answer} is not what was asked, {body}"
        found = Seen(node, returned - called, code)
        self.seen.append(found)
        self.latest[node].append(found)

    def forget(self):
        self.seen.clear()
        for latest in self.latest.values():
            latest.clear()

    def codes(self):
        return Counter(found.code for found in self.seen)

    def latest_all(self, node, code):
        """Whether the node's last ten all ended so."""
        latest = self.latest[node]
        return len(latest) == latest.maxlen and all(found.code == code for found in latest)


def clients_of(network, echoes, count, nodes=None):
    draw = echoes.draw_from(nodes or network.names)
    names = [f"c{number}" for number in range(1, count + 1)]
    found = [Client(network, name, draw, echoes.ended, PATIENCE) for name in names]
    for client in found:
        client.start()
    return found


def status(network, node):
    answers = []
    network.ask(CONTROLLER, node, {"type": "status"}, PATIENCE, answers.append)
    network.run(lambda: answers, 2 * PATIENCE)
    assert answers[0]["type"] == "status_ok", answers
    return answers[0]["backends"]


def recovers(network, echoes, nodes):
    echoes.forget()
    network.run(
        lambda: all(echoes.latest_all(node, None) for node in nodes),
        RECOVERY_SECONDS,
    )


def is_well(peer):
    return peer["health"] == "healthy" and peer["breaker"] == "closed"
