"""The service `lin-kv`: one map, one request after another, so linearizable by construction."""
from world.messages import NO_SUCH_KEY, NOT_SUPPORTED, PRECONDITION_FAILED, compact


class LinKv:
    def __init__(self):
        self._values = {}

    def answer(self, body):
        """The body of the answer, without its in_reply_to and msg_id."""
        handlers = {"read": self.read, "write": self.write, "cas": self.cas}
        handler = handlers.get(body["type"])
        if handler is None:
            return error(NOT_SUPPORTED, f"lin-kv knows no {body['type']}")
        return handler(compact(body["key"]), body)

    def read(self, key, body):
        if key not in self._values:
            return error(NO_SUCH_KEY, "key does not exist")
        return {"type": "read_ok", "value": self._values[key]}

    def write(self, key, body):
        self._values[key] = body["value"]
        return {"type": "write_ok"}

    def cas(self, key, body):
        if key not in self._values:
            if not body.get("create_if_not_exists"):
                return error(NO_SUCH_KEY, "key does not exist")
        elif self._values[key] != body["from"]:
            held = compact(self._values[key])
            return error(PRECONDITION_FAILED, f"expected {compact(body['from'])}, but had {held}")
        self._values[key] = body["to"]
        return {"type": "cas_ok"}


def error(code, text):
    return {"type": "error", "code": code, "text": text}
