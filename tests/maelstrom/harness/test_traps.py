"""Input as harnesses, people and accidents write it; what the public bench is known to do."""
import pytest

from world import messages
from world.messages import MALFORMED, NOT_SUPPORTED, UNAVAILABLE, init, request
from world.one_node import goes_on, replies, run

ECHO = request("echo", 3, echo="on")


def codes(bodies):
    return [(body["in_reply_to"], body.get("code")) for body in bodies]


# The bench's own messages.


def test_a_top_level_id_is_no_matter():
    text = '{"id":17,"src":"c1","dest":"n1","body":{"type":"echo","msg_id":2,"echo":"e"}}'
    assert [body["echo"] for body in replies(text)[0]] == ["e"]


@pytest.mark.parametrize(
    "body",
    [
        '{"echo":"e","msg_id":2,"type":"echo"}',
        '{"msg_id":2,"type":"echo","echo":"e"}',
        '{"extra":{"type":"init","msg_id":9},"echo":"e","type":"echo","more":[],"msg_id":2}',
    ],
)
@pytest.mark.parametrize(
    "envelope",
    [
        '{"src":"c1","dest":"n1","body":%s}',
        '{"body":%s,"dest":"n1","src":"c1"}',
        '\t{ "id" : 3 , "dest" : "n1" , "body" : %s , "other" : null , "src" : "c1" }  ',
    ],
)
def test_keys_come_in_any_order_with_any_others(envelope, body):
    [answer], errors = replies(envelope % body)
    assert (answer["type"], answer["in_reply_to"], answer["echo"]) == ("echo_ok", 2, "e")
    assert "error" not in errors


def test_an_answer_has_no_key_that_its_kind_does_not_have():
    bodies, _ = replies(
        request("echo", 2, echo=1, extra=1),
        request("topology", 3, topology={"n1": []}, extra=1),
        request("status", 4, extra=1),
        request("no_such_type", 5),
    )
    common = {"type", "in_reply_to", "msg_id"}
    assert [set(body) - common for body in bodies] == [
        {"echo"},
        set(),
        {"backends"},
        {"code", "text"},
    ]


@pytest.mark.parametrize("number", [0, 2**31, 2**53 + 1, 2**63 - 1])
def test_in_reply_to_is_the_number_that_was_sent(number):
    [answer], _ = replies(request("echo", number, echo="e"))
    assert answer["in_reply_to"] == number


# What is no valid request.


def test_before_init_every_other_message_is_error_11():
    early = [request("echo", 2, echo=1), request("status", 3), request("no_such_type", 4)]
    data = "\n".join([*early, init(), ECHO, ""]).encode()
    printed = [messages.read(line) for line in run(data)[0]]
    assert {(item["src"], item["dest"]) for item in printed} == {("n1", "c1"), ("n1", "c0")}
    bodies = [item["body"] for item in printed]
    assert codes(bodies[:3]) == [(2, UNAVAILABLE), (3, UNAVAILABLE), (4, UNAVAILABLE)]
    assert bodies[3] == {"type": "init_ok", "in_reply_to": 1, "msg_id": 3}
    assert goes_on(bodies[4:]) == []


def test_a_second_init_is_error_12_and_changes_nothing():
    bodies, _ = replies(init(node="n1", nodes=["n1", "n2"], number=2), ECHO)
    assert codes(goes_on(bodies)) == [(2, MALFORMED)]


@pytest.mark.parametrize(
    "body",
    [
        {"node_id": "n1"},
        {"node_ids": ["n1"]},
        {"node_id": 1, "node_ids": ["n1"]},
        {"node_id": "n1", "node_ids": "n1"},
        {"node_id": "n1", "node_ids": [1]},
        {"node_id": "", "node_ids": [""]},
        {"node_id": "n" * 1025, "node_ids": ["n1"]},
        {"node_id": "n1", "node_ids": ["n" * 1025]},
    ],
)
def test_an_init_that_is_none_is_error_12_and_the_next_one_counts(body):
    wrong = messages.line("c0", "n1", {"type": "init", "msg_id": 9, **body})
    lines, _ = run("\n".join([wrong, init(), ECHO, ""]).encode())
    bodies = [messages.read(line)["body"] for line in lines]
    assert (bodies[0]["in_reply_to"], bodies[0]["code"]) == (9, MALFORMED)
    assert bodies[1]["type"] == "init_ok"
    assert goes_on(bodies[2:]) == []


@pytest.mark.parametrize("kind", ["no_such_type", "", "echo_", "ECHO", "\u00e9"])
def test_an_unknown_type_is_error_10(kind):
    bodies, _ = replies(request(kind, 2), ECHO)
    assert codes(goes_on(bodies)) == [(2, NOT_SUPPORTED)]


@pytest.mark.parametrize(
    "kind, fields",
    [
        ("echo", {}),
        ("read", {}),
        ("write", {"key": 1}),
        ("write", {"value": 1}),
        ("cas", {"key": 1, "from": 2}),
        ("cas", {"key": 1, "to": 2}),
        ("backends", {}),
        ("backends", {"backends": "b1"}),
        ("backends", {"backends": [1]}),
        ("backends", {"backends": {"b1": 1}}),
        ("backends", {"backends": ["b" * 1025]}),
        ("report", {"backend": "n1"}),
        ("report", {"success": True}),
        ("report", {"backend": "nobody", "success": True}),
        ("report", {"backend": 1, "success": True}),
        ("report", {"backend": "n1", "success": "yes"}),
    ],
)
def test_a_request_without_what_it_needs_is_error_12(kind, fields):
    bodies, _ = replies(request(kind, 2, **fields), ECHO)
    assert codes(goes_on(bodies)) == [(2, MALFORMED)]


@pytest.mark.parametrize("ms", [None, -1, "5", 1.5, 2**63, True])
def test_an_advance_by_no_time_is_error_12(ms):
    bodies, _ = replies(request("advance", 2, ms=ms), ECHO, arguments=["--manual-clock"])
    assert codes(goes_on(bodies)) == [(2, MALFORMED)]


def test_the_clock_is_not_moved_without_the_manual_clock():
    bodies, _ = replies(request("advance", 2, ms=5), ECHO)
    assert codes(goes_on(bodies))[0] in ((2, NOT_SUPPORTED), (2, MALFORMED))


@pytest.mark.parametrize("kind", ["", ',"type":7', ',"type":null', ',"type":["echo"]'])
def test_a_body_without_a_type_is_error_12(kind):
    bodies, _ = replies('{"src":"c1","dest":"n1","body":{"msg_id":2%s}}' % kind, ECHO)
    assert codes(goes_on(bodies)) == [(2, MALFORMED)]


@pytest.mark.parametrize(
    "kind", ["echo", "status", "topology", "read", "no_such_type", "init", "route"]
)
def test_a_message_without_msg_id_gets_no_reply(kind):
    text = '{"src":"c1","dest":"n1","body":{"type":"%s","echo":1}}' % kind
    bodies, _ = replies(text, ECHO)
    assert goes_on(bodies) == []


@pytest.mark.parametrize("msg_id", ['"2"', "null", "1.5", "[]", "true", "1e400", "-1", str(2**70)])
def test_an_odd_msg_id_hurts_nobody(msg_id):
    text = '{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":%s,"echo":1}}' % msg_id
    bodies, _ = replies(text, ECHO)
    assert len(goes_on(bodies)) <= 1


@pytest.mark.parametrize(
    "line",
    [
        '{"dest":"n1","body":{"type":"echo","msg_id":2,"echo":1}}',
        '{"src":7,"dest":"n1","body":{"type":"echo","msg_id":2,"echo":1}}',
        '{"src":"c1","dest":"n1"}',
        '{"src":"c1","dest":"n1","body":[]}',
        "{}",
    ],
)
def test_a_message_from_nobody_or_without_a_body_gets_no_reply(line):
    bodies, errors = replies(line, ECHO)
    assert goes_on(bodies) == [] and errors.strip()


def test_an_answer_to_nothing_that_was_asked_is_dropped():
    stray = messages.line("lin-kv", "n1", {"type": "read_ok", "in_reply_to": 0, "value": 1})
    strange = messages.line("n2", "n1", {"type": "echo_ok", "in_reply_to": 77, "echo": 1})
    error = messages.line("n2", "n1", {"type": "error", "in_reply_to": 5, "code": 0, "text": "x"})
    assert goes_on(replies(stray, strange, error, ECHO)[0]) == []


def test_names_that_are_no_nodes_are_never_probed():
    names = request("backends", 2, backends=["b1", "b2"])
    minute = request("advance", 3, ms=60_000)
    lines, _ = run("\n".join([init(), names, minute, ""]).encode(), "--manual-clock")
    kinds = [messages.read(line)["body"]["type"] for line in lines]
    assert kinds == ["init_ok", "backends_ok", "advance_ok"]


def test_names_that_are_no_nodes_never_get_a_message():
    names = request("backends", 2, backends=["b1", "b2"])
    lines, _ = run("\n".join([init(), names, request("echo", 3, echo=1), ""]).encode())
    printed = [messages.read(line) for line in lines]
    assert [item["dest"] for item in printed] == ["c0", "c1", "c1"]
    last = printed[-1]["body"]
    assert last["in_reply_to"] == 3
    assert last["type"] == "echo_ok" or last["code"] == UNAVAILABLE
