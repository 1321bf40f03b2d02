"""Several nodes whose clocks only move when told: health, breaker, trial and other peers, each step
where it must be."""
import re

import pytest

from world import messages
from world.manual import ManualWorld
from world.messages import TIMEOUT, UNAVAILABLE
from world.partitions import between

NAMES = ["n1", "n2", "n3"]
# The first probe decides alone and has a second to be answered; the next ones are 5 s apart.
PROBED_MS = 7_000
RECOVERY_MS = 36_000  # above recovery_timeout and above two probes that pass, whichever comes first
ECHO_MS = 7_000  # whatever deadline an echo has, it is within the bench's patience


def sent(world, source, since=0):
    """(receiver, type) of what a node sent to other nodes."""
    pattern = re.compile(r'-> \{"src":"%s","dest":"(n\d+)","body":\{"type":"([^"]*)"' % source)
    return [found.groups() for line in world.journal[since:] if (found := pattern.match(line))]


def echo(world, name, value):
    """An echo's answer, at once or when its time has run out."""
    answer = world.ask(name, "echo", echo=value)
    number = world.asked
    waited = 0
    while answer is None and waited < ECHO_MS:
        world.advance(100)
        waited += 100
        answer = world.answers.get(number)
    assert answer is not None, "no answer within its time"
    return answer


def test_nothing_is_sent_before_the_clock_moves():
    with ManualWorld(NAMES) as world:
        for name in NAMES:
            assert sent(world, name) == []
        assert {peer["health"] for peer in world.status("n1").values()} == {"unknown"}


def test_probes_go_out_as_the_clock_moves_and_find_the_peers_healthy():
    with ManualWorld(NAMES) as world:
        world.advance(PROBED_MS)
        assert {dest for dest, _ in sent(world, "n1")} == {"n2", "n3"}
        status = world.status("n1")
        assert set(status) == {"n2", "n3"}
        assert {peer["health"] for peer in status.values()} == {"healthy"}
        assert {peer["breaker"] for peer in status.values()} == {"closed"}


def test_a_peer_whose_probes_are_lost_turns_unhealthy_and_gets_no_echo():
    with ManualWorld(NAMES) as world:
        world.cut = between(["n2"], ["n1", "n3"])
        world.advance(PROBED_MS)
        status = world.status("n1")
        assert (status["n2"]["health"], status["n3"]["health"]) == ("unhealthy", "healthy")
        begun = len(world.journal)
        for number in range(10):
            assert world.ask("n1", "echo", echo=number)["echo"] == number
        assert [dest for dest, _ in sent(world, "n1", begun)] == ["n3"] * 10
        world.cut = set()
        world.advance(PROBED_MS)
        assert world.status("n1")["n2"]["health"] == "healthy"


def test_probes_do_not_touch_the_count_of_failures():
    with ManualWorld(NAMES) as world:
        world.cut = between(["n2"], ["n1", "n3"])
        world.advance(3 * PROBED_MS)
        assert world.status("n1")["n2"]["consecutive_failures"] == 0
        assert world.status("n1")["n2"]["breaker"] == "closed"


def test_echoes_are_spread_evenly_over_the_healthy_peers():
    with ManualWorld(["n1", "n2", "n3", "n4"]) as world:
        world.advance(PROBED_MS)
        begun = len(world.journal)
        for number in range(30):
            assert world.ask("n1", "echo", echo=number)["type"] == "echo_ok"
        receivers = [dest for dest, _ in sent(world, "n1", begun)]
        assert [receivers.count(name) for name in ("n2", "n3", "n4")] == [10, 10, 10]


def test_lost_echoes_open_the_breaker_without_any_probe_and_are_answered_by_another_peer():
    with ManualWorld(NAMES) as world:
        world.advance(PROBED_MS)
        for number in range(5):
            world.ask("n1", "report", backend="n2", success=False)
        assert world.status("n1")["n2"]["breaker"] == "open"
        begun = len(world.journal)
        for number in range(10):
            assert world.ask("n1", "echo", echo=number)["echo"] == number
        assert [dest for dest, _ in sent(world, "n1", begun)] == ["n3"] * 10


def test_a_lost_echo_is_a_failure_of_its_peer_and_tried_on_another():
    with ManualWorld(NAMES) as world:
        world.advance(PROBED_MS)
        world.cut = {("n1", "n2"), ("n2", "n1")}
        for number in range(4):
            answer = echo(world, "n1", number)
            assert answer["type"] == "echo_ok" and answer["echo"] == number, answer
        status = world.status("n1")
        assert status["n2"]["consecutive_failures"] >= 1 or status["n2"]["health"] == "unhealthy"
        assert status["n3"]["consecutive_failures"] == 0


def test_when_nobody_may_be_tried_the_answer_is_error_11_at_once():
    with ManualWorld(NAMES) as world:
        world.advance(PROBED_MS)
        for peer in ("n2", "n3"):
            for _ in range(5):
                world.ask("n1", "report", backend=peer, success=False)
        answer = world.ask("n1", "echo", echo="no")
        assert (answer["type"], answer["code"]) == ("error", UNAVAILABLE)


def test_an_echo_that_nobody_answers_ends_with_an_honest_error():
    with ManualWorld(["n1", "n2"]) as world:
        world.advance(PROBED_MS)
        world.cut = between(["n1"], ["n2"])
        answer = echo(world, "n1", "lost")
        assert answer["type"] == "error" and answer["code"] in (TIMEOUT, UNAVAILABLE)


def test_an_answer_that_comes_after_the_error_is_dropped():
    with ManualWorld(["n1", "n2"]) as world:
        world.advance(PROBED_MS)
        world.cut = {("n2", "n1")}
        begun = len(world.journal)
        assert echo(world, "n1", "late")["type"] == "error"
        printed = [messages.read(line[3:]) for line in world.journal[begun:] if line[:2] == "->"]
        late = [item for item in printed if (item["src"], item["dest"]) == ("n2", "n1")]
        echoed = [item for item in late if item["body"]["type"] == "echo_ok"]
        assert echoed, "it had answered"
        for item in echoed:
            assert world.say(item) == [], "nobody is told"


@pytest.mark.parametrize("healthy_before", [True, False])
def test_a_half_open_peer_gets_exactly_one_trial_and_is_closed_by_its_success(healthy_before):
    with ManualWorld(["n1", "n2"]) as world:
        if healthy_before:
            world.advance(PROBED_MS)
        world.cut = between(["n1"], ["n2"])
        for _ in range(5):
            world.ask("n1", "report", backend="n2", success=False)
        assert world.status("n1")["n2"]["breaker"] == "open"
        assert world.ask("n1", "route")["code"] == UNAVAILABLE
        world.advance(2_000)
        assert world.status("n1")["n2"]["breaker"] == "open", "a lost probe does not close it"
        world.cut = set()
        world.advance(RECOVERY_MS)
        assert world.status("n1")["n2"]["breaker"] == "closed", "a probe was the trial"
        assert world.ask("n1", "echo", echo="again")["echo"] == "again"


def test_the_same_lines_in_give_the_same_lines_out():
    journals = []
    for _ in range(2):
        with ManualWorld(NAMES) as world:
            world.advance(PROBED_MS)
            world.cut = between(["n2"], ["n1", "n3"])
            for number in range(5):
                world.ask("n1", "echo", echo=number)
                world.advance(1_000)
            world.cut = set()
            world.advance(PROBED_MS)
            journals.append(world.journal)
    first, second = journals
    for ours, theirs in zip(first, second):
        assert ours == theirs
    assert len(first) == len(second)
