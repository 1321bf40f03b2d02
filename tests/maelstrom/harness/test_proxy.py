"""read, write and cas through one node, the service played by hand: what is sent on, what comes
back, and what does not."""
import pytest

from world.manual import CLIENT, ManualWorld
from world.messages import CODES, MALFORMED, TIMEOUT, UNAVAILABLE
from world.network import SERVICE

TIMEOUT_MS = 750  # --service-timeout
BIG = 10**30 + 7
READ = {"type": "read", "key": "k"}
WRITE = {"type": "write", "key": "k", "value": 1}
CAS = {"type": "cas", "key": "k", "from": 1, "to": 2}


@pytest.fixture
def world():
    with ManualWorld(["n1"]) as found:
        yield found


class Asked:
    """A client's request that the node has sent on."""

    def __init__(self, world, body, number=40):
        self._world = world
        self.number = number
        request = {"src": CLIENT, "dest": "n1", "body": {**body, "msg_id": number}}
        [self.sent] = world.say(request)
        assert self.sent["dest"] == SERVICE

    def answered(self, body, src=SERVICE):
        """What the node prints when the service says that."""
        answer = {"in_reply_to": self.sent["body"]["msg_id"], **body}
        return self._world.say({"src": src, "dest": "n1", "body": answer})


def without_numbers(message):
    ours = ("in_reply_to", "msg_id")
    return {name: value for name, value in message["body"].items() if name not in ours}


def error(code, text="why"):
    return {"type": "error", "code": code, "text": text}


@pytest.mark.parametrize(
    "body",
    [
        READ,
        WRITE,
        CAS,
        {"type": "read", "key": BIG},
        {"type": "read", "key": {"a": [None, 1.5]}},
        {"type": "read", "key": None},
        {"type": "write", "key": [], "value": {"deep": [{"er": BIG}]}},
        {"type": "write", "key": 0, "value": None},
        {"type": "cas", "key": 0, "from": None, "to": BIG},
        {"type": "cas", "key": 0, "from": 1, "to": 2, "create_if_not_exists": True},
    ],
)
def test_a_request_is_sent_on_as_it_came(world, body):
    assert without_numbers(Asked(world, body).sent) == body


@pytest.mark.parametrize(
    "body, answer",
    [
        (READ, {"type": "read_ok", "value": 3}),
        (READ, {"type": "read_ok", "value": None}),
        (READ, {"type": "read_ok", "value": {"a": [BIG, "ü"]}}),
        (WRITE, {"type": "write_ok"}),
        (CAS, {"type": "cas_ok"}),
        (READ, error(20, "key does not exist")),
        (CAS, error(20, "key does not exist")),
        (CAS, error(21)),
        (CAS, error(22, 'expected 1, but had "2"')),
        (WRITE, error(14)),
        (WRITE, error(30)),
    ],
)
def test_an_answer_is_carried_back_as_it_came(world, body, answer):
    asked = Asked(world, body)
    [printed] = asked.answered(answer)
    assert printed["dest"] == CLIENT
    assert printed["body"]["in_reply_to"] == asked.number
    assert without_numbers(printed) == answer


@pytest.mark.parametrize(
    "body, answer",
    [
        (READ, {"type": "read_ok", "value": 1, "version": 7}),
        (WRITE, {"type": "write_ok", "value": 1}),
        (CAS, {"type": "cas_ok", "debug": {}}),
        (READ, {**error(20), "stack": []}),
    ],
)
def test_a_key_that_the_bench_does_not_know_is_left_out(world, body, answer):
    [printed] = Asked(world, body).answered(answer)  # the rules know which keys there are
    assert printed["body"]["type"] == answer["type"]


@pytest.mark.parametrize(
    "body, answer",
    [
        (READ, {"type": "write_ok"}),
        (READ, {"type": "read_ok"}),
        (WRITE, {"type": "read_ok", "value": 1}),
        (CAS, {"type": "hello"}),
        (READ, {"type": "error"}),
        (WRITE, {"type": "error", "code": "x", "text": "y"}),
    ],
)
def test_an_answer_that_makes_no_sense_is_never_passed_on_as_success(world, body, answer):
    asked = Asked(world, body)
    printed = asked.answered(answer) or expired(world)
    ends = [item["body"] for item in printed if item["dest"] == CLIENT]
    assert len([end for end in ends if end.get("in_reply_to") == asked.number]) == 1
    [end] = [end for end in ends if end["in_reply_to"] == asked.number]
    assert end["type"] == "error" and end["code"] in CODES
    if body is not READ:
        assert end["code"] not in (UNAVAILABLE, MALFORMED), "it may have happened"


def expired(world, ms=TIMEOUT_MS):
    number = 1000 + len(world.journal)
    advance = {"type": "advance", "msg_id": number, "ms": ms}
    return world.say({"src": CLIENT, "dest": "n1", "body": advance})


@pytest.mark.parametrize("body", [READ, WRITE, CAS])
def test_no_answer_in_time_is_a_timeout_and_what_comes_later_is_dropped(world, body):
    asked = Asked(world, body)
    assert [item["body"]["type"] for item in expired(world, TIMEOUT_MS - 1)] == ["advance_ok"]
    timeout, _ = expired(world, 1)
    assert (timeout["body"]["in_reply_to"], timeout["body"]["code"]) == (asked.number, TIMEOUT)
    assert asked.answered({"type": body["type"] + "_ok", "value": 1}) == []


def test_what_was_sent_on_is_not_sent_again(world):
    Asked(world, WRITE)
    lines = expired(world, 10 * TIMEOUT_MS)
    assert [item["dest"] for item in lines] == [CLIENT, CLIENT]


def test_a_second_answer_is_dropped(world):
    asked = Asked(world, READ)
    assert len(asked.answered({"type": "read_ok", "value": 1})) == 1
    assert asked.answered({"type": "read_ok", "value": 2}) == []


@pytest.mark.parametrize("src", ["seq-kv", "n1", "n2", CLIENT, ""])
def test_an_answer_from_somebody_else_is_dropped(world, src):
    asked = Asked(world, READ)
    assert asked.answered({"type": "read_ok", "value": 666}, src) == []
    [printed] = asked.answered({"type": "read_ok", "value": 1})
    assert printed["body"]["value"] == 1


def test_answers_in_any_order_find_their_requests(world):
    asked = [Asked(world, {"type": "read", "key": key}, number=50 + key) for key in range(20)]
    for one in asked[::2] + asked[1::2][::-1]:
        [printed] = one.answered({"type": "read_ok", "value": one.sent["body"]["key"]})
        assert printed["body"]["in_reply_to"] == 50 + printed["body"]["value"]


def test_the_service_has_the_name_that_it_was_given():
    with ManualWorld(["n1"], ["--service", "seq-kv"], service="seq-kv") as world:
        [sent] = world.say({"src": CLIENT, "dest": "n1", "body": {**READ, "msg_id": 9}})
        assert sent["dest"] == "seq-kv"


def test_the_timeout_is_the_one_that_it_was_given():
    with ManualWorld(["n1"], ["--service-timeout", "50"]) as world:
        Asked(world, READ)
        assert [item["body"]["type"] for item in expired(world, 49)] == ["advance_ok"]
        assert [item["body"]["type"] for item in expired(world, 1)] == ["error", "advance_ok"]
