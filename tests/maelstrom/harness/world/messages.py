"""Messages as lines. Reading is strict: what the node prints is for readers that are."""
import json

TIMEOUT, NODE_NOT_FOUND, NOT_SUPPORTED, UNAVAILABLE, MALFORMED = 0, 1, 10, 11, 12
CRASH, ABORT = 13, 14
NO_SUCH_KEY, KEY_EXISTS, PRECONDITION_FAILED, CONFLICT = 20, 21, 22, 30
CODES = {
    TIMEOUT, NOT_SUPPORTED, UNAVAILABLE, MALFORMED, CRASH, ABORT,
    NO_SUCH_KEY, KEY_EXISTS, PRECONDITION_FAILED, CONFLICT,
}  # fmt: skip


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def line(src, dest, body):
    return compact({"src": src, "dest": dest, "body": body})


def init(node="n1", nodes=("n1",), number=1, client="c0"):
    body = {"type": "init", "msg_id": number, "node_id": node, "node_ids": list(nodes)}
    return line(client, node, body)


def request(kind, number=2, client="c1", node="n1", **fields):
    return line(client, node, {"type": kind, "msg_id": number, **fields})


def read(text):
    """One JSON object; ValueError says what is wrong. Bytes must be UTF-8."""
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _object(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"a key twice in {[key for key, _ in pairs]}")
    return found


def _refuse(name):
    raise ValueError(f"{name} is not JSON")
