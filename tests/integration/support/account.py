"""What a test has done, as the numbers that /metrics should have."""


class Account:
    def __init__(self):
        self.numbers = {}

    def add(self, name, number=1, **labels):
        key = (name, *labels.items())
        self.numbers[key] = self.numbers.get(key, 0) + number

    def set(self, name, number, **labels):
        self.numbers[(name, *labels.items())] = number

    def accepted(self, listener):
        self.add("sluice_listener_connections_total", listener=listener)

    def connected(self, cluster, backend):
        self.add("sluice_backend_connects_total", cluster=cluster, backend=backend, outcome="connected")
        self.add("sluice_connect_duration_seconds_count", cluster=cluster)

    def moved(self, cluster, backend, received, sent):
        for direction, number in (("received", received), ("sent", sent)):
            self.add("sluice_bytes_total", number, cluster=cluster, backend=backend, direction=direction)

    def ended(self, listener, reason, received=0, sent=0):
        self.add("sluice_session_ends_total", listener=listener, reason=reason)
        self.add("sluice_session_duration_seconds_count", listener=listener)
        for direction, number in (("received", received), ("sent", sent)):
            labels = {"listener": listener, "direction": direction}
            self.add("sluice_session_bytes_count", **labels)
            self.add("sluice_session_bytes_sum", number, **labels)

    def turned_away(self, listener, reason):
        self.accepted(listener)
        self.ended(listener, reason)
        self.add("sluice_listener_rejected_total", listener=listener, reason=reason)

    def served(self, listener, cluster, backend, reason, received, sent):
        self.accepted(listener)
        self.connected(cluster, backend)
        self.moved(cluster, backend, received, sent)
        self.ended(listener, reason, received, sent)

    @property
    def sessions_ended(self):
        return sum(number for key, number in self.numbers.items() if key[0] == "sluice_session_ends_total")
