"""A client as the public bench has them: one request at a time, the next when it was answered or
the client's patience has ended."""


class Client:
    """`draw()` gives (node, body); `seen(body, answer, called, returned)` is told of each one's
    end."""

    def __init__(self, network, name, draw, seen, patience, pause=0.02):
        self._network = network
        self._name = name
        self._draw = draw
        self._seen = seen
        self._patience = patience
        self._pause = pause
        self._stopped = False
        self.idle = True

    def start(self):
        self._network.after(self._network.random.uniform(0, self._pause), self._ask)

    def stop(self):
        """No further request; the one that is out still ends."""
        self._stopped = True

    def _ask(self):
        if self._stopped:
            return
        node, body = self._draw()
        called = self._network.now
        self.idle = False
        self._network.ask(
            self._name, node, body, self._patience, lambda answer: self._end(body, answer, called)
        )

    def _end(self, body, answer, called):
        self.idle = True
        self._seen(body, answer, called, self._network.now)
        self._network.after(self._network.random.uniform(0, 2 * self._pause), self._ask)


def finish(network, clients, within):
    """No new requests; returns when the open ones have ended."""
    for client in clients:
        client.stop()
    network.run(lambda: all(client.idle for client in clients), within)
