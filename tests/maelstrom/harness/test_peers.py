"""Echoes through a node whose peers are played by hand: late, false, doubled, from the
wrong one."""
import pytest

from world.manual import CLIENT, ManualWorld
from world.messages import MALFORMED, NOT_SUPPORTED, TIMEOUT, UNAVAILABLE

NAMES = ["n1", "n2", "n3"]
ATTEMPT_MS = 2_000  # connect_timeout
NO_PROBES = """
listeners: [{name: l, address: "127.0.0.1:1", cluster: c}]
clusters:
  - {name: c, backends: [127.0.0.1:2]}
  - {name: peers, backends: [], health_check: off}
"""
PATIENCE_MS = 4_500  # the bench's five seconds, less the way


@pytest.fixture
def world():
    with ManualWorld(NAMES, started=["n1"]) as found:
        advance(found, 0)  # both are found healthy
        yield found


def ask(world, value, number=70):
    """A client's echo; the message that the node sends to a peer."""
    body = {"type": "echo", "msg_id": number, "echo": value}
    [sent] = world.say({"src": CLIENT, "dest": "n1", "body": body})
    assert sent["dest"] in ("n2", "n3") and sent["body"]["echo"] == value
    return sent


def answer(world, sent, src=None, **body):
    body = {"in_reply_to": sent["body"]["msg_id"], "msg_id": 3, **body}
    return world.say({"src": src or sent["dest"], "dest": "n1", "body": body})


def advance(world, ms):
    """What is said while time goes by. The peers answer probes, though not in the middle of it."""
    body = {"type": "advance", "msg_id": 10_000 + len(world.journal), "ms": ms}
    printed = world.say({"src": CLIENT, "dest": "n1", "body": body})
    for sent in printed:
        if sent["dest"] != CLIENT and sent["body"]["type"] != "echo":
            assert answer(world, sent, type=sent["body"]["type"] + "_ok") == []
    return [item for item in printed if item["body"]["type"] in ("echo", "echo_ok", "error")]


def the_other(peer):
    return {"n2": "n3", "n3": "n2"}[peer]


def test_an_answer_comes_back_under_the_clients_own_number(world):
    sent = ask(world, {"deep": [10**30]}, number=12345)
    [printed] = answer(world, sent, type="echo_ok", echo={"deep": [10**30]})
    assert printed["dest"] == CLIENT
    assert list(printed["body"])[:2] == ["type", "in_reply_to"]
    assert (printed["body"]["in_reply_to"], printed["body"]["echo"]) == (12345, {"deep": [10**30]})


def test_a_second_answer_of_a_peer_is_dropped(world):
    sent = ask(world, 1)
    assert len(answer(world, sent, type="echo_ok", echo=1)) == 1
    assert answer(world, sent, type="echo_ok", echo=1) == []
    assert answer(world, sent, type="error", code=0, text="late") == []


@pytest.mark.parametrize("src", ["the other", "n9", CLIENT, "lin-kv"])
def test_an_answer_from_somebody_else_is_dropped(world, src):
    sent = ask(world, 1)
    somebody = the_other(sent["dest"]) if src == "the other" else src
    assert answer(world, sent, somebody, type="echo_ok", echo="false") == []
    [printed] = answer(world, sent, type="echo_ok", echo=1)
    assert printed["body"]["echo"] == 1


def test_no_answer_in_time_is_a_failure_and_another_peer_is_tried(world):
    first = ask(world, 1)
    assert advance(world, ATTEMPT_MS - 1) == []
    [second] = advance(world, 1)
    assert second["dest"] == the_other(first["dest"]) and second["body"]["echo"] == 1
    assert answer(world, first, type="echo_ok", echo=1) == [], "it comes too late"
    [printed] = answer(world, second, type="echo_ok", echo=1)
    assert (printed["dest"], printed["body"]["in_reply_to"]) == (CLIENT, 70)
    status = world.status("n1")
    assert status[first["dest"]]["consecutive_failures"] == 1
    assert status[second["dest"]]["consecutive_failures"] == 0


def test_a_peer_that_cannot_now_is_a_failure_and_another_one_is_tried_at_once(world):
    first = ask(world, 1)
    [second] = answer(world, first, type="error", code=UNAVAILABLE, text="not yet")
    assert second["dest"] == the_other(first["dest"])
    assert world.status("n1")[first["dest"]]["consecutive_failures"] == 1


@pytest.mark.parametrize(
    "body", [{"type": "echo_ok"}, {"type": "read_ok", "value": 1}, {"type": "error"}]
)
def test_an_answer_that_makes_no_sense_is_no_answer(world, body):
    first = ask(world, 1)
    [second] = answer(world, first, **body) or advance(world, ATTEMPT_MS)
    assert second["dest"] == the_other(first["dest"])


def test_when_nobody_answers_the_client_has_one_honest_error_within_its_patience(world):
    ask(world, 1)
    printed = []
    for _ in range(PATIENCE_MS // 100):
        printed += [item for item in advance(world, 100) if item["dest"] == CLIENT]
    [end] = printed
    assert end["body"]["in_reply_to"] == 70 and end["body"]["code"] in (0, UNAVAILABLE)
    assert advance(world, 60_000) == []


def test_a_lost_echo_that_nobody_else_may_be_asked_is_a_timeout(world):
    first = ask(world, 1)
    for _ in range(5):
        world.ask("n1", "report", backend=the_other(first["dest"]), success=False)
    printed = [item for _ in range(PATIENCE_MS // 100) for item in advance(world, 100)]
    [end] = [item for item in printed if item["dest"] == CLIENT]
    assert end["body"]["in_reply_to"] == 70
    assert end["body"]["code"] == TIMEOUT, "it may have been carried out: not 11"


def test_five_echoes_lost_in_a_row_open_the_circuit_of_the_peer(world):
    for peer in ("n2", "n3"):
        world.ask("n1", "report", backend=peer, success=True)
    lost = [ask(world, number, 100 + number) for number in range(10)]
    assert [item["dest"] for item in lost].count("n2") == 5
    for sent in lost:
        if sent["dest"] == "n3":
            assert len(answer(world, sent, type="echo_ok", echo=sent["body"]["echo"])) == 1
    again = advance(world, ATTEMPT_MS)
    assert [item["dest"] for item in again] == ["n3"] * 5, "each is tried on the other"
    assert world.status("n1")["n2"] == {
        "name": "n2",
        "health": world.status("n1")["n2"]["health"],
        "breaker": "open",
        "consecutive_failures": 5,
        "opens": 1,
    }
    assert [ask(world, number, 200 + number)["dest"] for number in range(4)] == ["n3"] * 4


def test_a_half_open_peer_gets_one_echo_and_the_others_go_elsewhere(tmp_path):
    conf = tmp_path / "no_probes.yaml"
    conf.write_text(NO_PROBES)
    with ManualWorld(NAMES, ["-c", str(conf)], started=["n1"]) as world:
        for _ in range(5):
            world.ask("n1", "report", backend="n2", success=False, cluster="peers")
        for number in range(4):
            sent = ask(world, number, 300 + number)
            assert sent["dest"] == "n3"
            assert len(answer(world, sent, type="echo_ok", echo=number)) == 1
        world.ask("n1", "advance", ms=30_000)
        trials = [ask(world, number, 400 + number) for number in range(12)]
        receivers = [sent["dest"] for sent in trials]
        assert receivers.count("n2") == 1, receivers
        trial = trials[receivers.index("n2")]
        assert len(answer(world, trial, type="echo_ok", echo=trial["body"]["echo"])) == 1
        after = [ask(world, number, 500 + number)["dest"] for number in range(12)]
        assert after.count("n2") == 6, "closed again, it has its share"


def test_a_trial_that_is_lost_opens_the_circuit_again_and_harms_no_client(tmp_path):
    conf = tmp_path / "no_probes.yaml"
    conf.write_text(NO_PROBES)
    with ManualWorld(NAMES, ["-c", str(conf)], started=["n1"]) as world:
        for _ in range(5):
            world.ask("n1", "report", backend="n2", success=False, cluster="peers")
        world.ask("n1", "advance", ms=30_000)
        trials = [ask(world, number, 400 + number) for number in range(2)]
        for sent in trials:
            if sent["dest"] == "n3":
                answer(world, sent, type="echo_ok", echo=sent["body"]["echo"])
        [again] = advance(world, ATTEMPT_MS)
        assert again["dest"] == "n3"
        assert len(answer(world, again, type="echo_ok", echo=again["body"]["echo"])) == 1
        n2, _ = world.ask("n1", "status", cluster="peers")["backends"]
        assert (n2["name"], n2["breaker"], n2["opens"]) == ("n2", "open", 2)


def test_a_request_from_a_peer_is_answered_here(world):
    body = {"type": "echo", "msg_id": 5, "echo": "forwarded"}
    [printed] = world.say({"src": "n2", "dest": "n1", "body": body})
    assert printed["dest"] == "n2"
    assert (printed["body"]["in_reply_to"], printed["body"]["echo"]) == (5, "forwarded")


@pytest.mark.parametrize(
    "body, code",
    [
        ({"type": "echo"}, MALFORMED),
        ({"type": "no_such_type"}, NOT_SUPPORTED),
    ],
)
def test_a_wrong_request_from_a_peer_has_its_error(world, body, code):
    [printed] = world.say({"src": "n3", "dest": "n1", "body": {**body, "msg_id": 6}})
    assert (printed["dest"], printed["body"]["code"]) == ("n3", code)


def test_a_new_list_takes_the_place_of_the_old_one(world):
    assert world.ask("n1", "backends", backends=["n3"])["type"] == "backends_ok"
    assert [ask(world, number, 400 + number)["dest"] for number in range(4)] == ["n3"] * 4
    assert list(world.status("n1")) == ["n3"]


def test_an_answer_of_a_peer_that_is_no_longer_in_the_list_still_counts_once(world):
    sent = ask(world, 1)
    world.ask("n1", "backends", backends=[the_other(sent["dest"])])
    printed = answer(world, sent, type="echo_ok", echo=1) + advance(world, PATIENCE_MS)
    ends = [item for item in printed if item["dest"] == CLIENT]
    assert len(ends) == 1 and ends[0]["body"]["in_reply_to"] == 70
