"""What every line of a node must keep to, whatever it says: the protocol's promises, and the traps
of the public bench. One `Rules` watches one node, told of each message that went in and each line
that came out."""
from dataclasses import dataclass

from world import messages

ANSWER_FIELDS = {
    "init_ok": set(),
    "topology_ok": set(),
    "echo_ok": {"echo"},
    "read_ok": {"value"},
    "write_ok": set(),
    "cas_ok": set(),
    "backends_ok": set(),
    "report_ok": {"backend", "state", "consecutive_failures"},
    "route_ok": {"backend", "trial"},
    "advance_ok": {"now_ms"},
    "status_ok": {"backends"},
    "error": {"code", "text"},
}
SERVICE_FIELDS = {"read": {"key"}, "write": {"key", "value"}, "cas": {"key", "from", "to"}}


class Violation(AssertionError):
    """The node printed what it must not."""


@dataclass
class Request:
    kind: str
    gives_up_at: float  # when who asked no longer listens
    answered: bool = False


class Rules:
    def __init__(self, node, nodes=(), services=(), clients=()):
        self._node = node
        self._nodes = set(nodes)
        self._services = set(services)
        self.clients = set(clients)
        self._requests = {}  # (who asked, msg_id)
        self._next_msg_id = 0

    def delivered(self, message, gives_up_at=float("inf")):
        """That message is being written to the node."""
        body = message["body"]
        if "msg_id" in body and "in_reply_to" not in body:
            self._requests[message["src"], body["msg_id"]] = Request(body["type"], gives_up_at)

    def unanswered(self):
        """What clients asked and no line answered."""
        return [
            (src, msg_id)
            for (src, msg_id), asked in self._requests.items()
            if src in self.clients and not asked.answered
        ]

    def printed(self, line, now=0.0, forgiven=lambda client, number: 0.0):
        """The message in that line, which is without its newline. `forgiven` gives the seconds by
        which an answer to that request may come later, because the harness itself stood still."""
        try:
            message = self._shape(line)
            self._number(message["body"])
            self._receiver(message)
            if "in_reply_to" in message["body"]:
                self._answer(message, now, forgiven)
        except (Violation, ValueError) as problem:
            raise Violation(f"{self._node} printed {line[:2000]!r}: {problem}") from None
        return message

    def _shape(self, line):
        message = messages.read(line)
        expect(list(message) == ["src", "dest", "body"], f"keys are {list(message)}")
        expect(message["src"] == self._node, f"its src is not {self._node}")
        expect(isinstance(message["dest"], str), "its dest is no text")
        body = message["body"]
        expect(isinstance(body, dict), "its body is no object")
        expect(isinstance(body.get("type"), str), "its type is no text")
        expect(line.startswith(b'{"src":"'), "white space outside of texts")
        return message

    def _number(self, body):
        number = body.get("msg_id")
        expect(type(number) is int, "no msg_id")
        expect(number == self._next_msg_id, f"msg_id is not {self._next_msg_id}")
        self._next_msg_id += 1

    def _receiver(self, message):
        dest, body = message["dest"], message["body"]
        expect(dest != self._node, "a message to itself")
        if dest in self._services:
            allowed = SERVICE_FIELDS.get(body["type"])
            expect(allowed is not None, "the service knows no such request")
            optional = {"create_if_not_exists"} if body["type"] == "cas" else set()
            expect_fields(body, allowed | {"type", "msg_id"}, optional)
        elif dest in self.clients:
            expect("in_reply_to" in body, "a client is told what it did not ask")
        else:
            expect(dest in self._nodes, f"nobody is called {dest!r}")

    def _answer(self, message, now, forgiven):
        dest, body = message["dest"], message["body"]
        asked = self._requests.get((dest, body["in_reply_to"]))
        expect(asked is not None, "in_reply_to is nothing that was asked")
        expect(not asked.answered, "a second answer")
        asked.answered = True
        if dest not in self.clients:
            return
        late = now - asked.gives_up_at - forgiven(dest, body["in_reply_to"])
        expect(late <= 0, f"{late * 1000:.0f} ms after the client gave up")
        expect(body["type"] in ("error", asked.kind + "_ok"), f"answers {asked.kind}")
        allowed = ANSWER_FIELDS[body["type"]]
        expect_fields(body, allowed | {"type", "in_reply_to", "msg_id"})
        expect(list(body)[:2] == ["type", "in_reply_to"], "its keys are out of order")
        if body["type"] == "error":
            expect(body["code"] in messages.CODES, "no such error code")
            expect(isinstance(body["text"], str) and body["text"], "an error without a text")


def expect(holds, what):
    if not holds:
        raise Violation(what)


def expect_fields(body, required, optional=frozenset()):
    expect(required <= set(body), f"without {sorted(required - set(body))}")
    extra = set(body) - required - optional
    expect(not extra, f"with keys nobody knows: {sorted(extra)}")
