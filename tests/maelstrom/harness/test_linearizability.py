"""The checker itself, by histories whose verdict is known, and beside a slow one that tries every
order."""
import itertools
import random

import pytest

from world import messages
from world.linearizability import (
    ABSENT,
    MISMATCH,
    NEVER,
    NO_KEY,
    OK,
    UNKNOWN,
    Operation,
    after,
    operation,
    why_not_linearizable,
)

SEED = 20240607
RANDOM_HISTORIES = 3000


def read(called, returned, value):
    return Operation(called, returned, "read", (), value)


def write(called, returned, value):
    return Operation(called, returned, "write", (value,), UNKNOWN if returned == NEVER else OK)


def cas(called, returned, expected, new, result=OK):
    arguments = (expected, new)
    return Operation(called, returned, "cas", arguments, UNKNOWN if returned == NEVER else result)


LINEARIZABLE = {
    "nothing at all": [],
    "one after another": [write(0, 1, 1), read(2, 3, 1), cas(4, 5, 1, 2), read(6, 7, 2)],
    "absent before the first write": [read(0, 1, ABSENT), write(2, 3, 1)],
    "a read beside a write sees either": [
        write(0, 1, 1),
        write(2, 9, 2),
        read(3, 4, 1),
        read(5, 6, 2),
    ],
    "writes beside each other in either order": [
        write(0, 5, 1),
        write(1, 4, 2),
        read(6, 7, 1),
    ],
    "reads beside a write, called earlier, seeing it first": [
        write(0, 1, 1),
        write(2, 10, 2),
        read(3, 9, 1),
        read(4, 8, 2),
    ],
    "a lost write seen much later": [
        write(0, 1, 1),
        write(2, NEVER, 2),
        read(3, 4, 1),
        read(100, 101, 2),
    ],
    "a lost write never seen": [write(0, 1, 1), write(2, NEVER, 2), read(100, 101, 1)],
    "a lost cas that happened": [write(0, 1, 1), cas(2, NEVER, 1, 5), cas(3, 4, 5, 6)],
    "a failed cas between two values": [
        write(0, 1, 1),
        cas(2, 3, 2, 3, MISMATCH),
        read(4, 5, 1),
    ],
    "a cas without a key": [cas(0, 1, 1, 2, NO_KEY), write(2, 3, 1)],
    "a cas that failed because of a lost write": [
        write(0, 1, 1),
        write(2, NEVER, 2),
        cas(3, 4, 1, 3, MISMATCH),
    ],
    "returning at the instant another is called counts as beside it": [
        write(0, 1, 1),
        read(1, 2, ABSENT),
    ],
}
NOT_LINEARIZABLE = {
    "a stale read": [write(0, 1, 1), write(2, 3, 2), read(4, 5, 1)],
    "a read of what nobody wrote": [write(0, 1, 1), read(2, 3, 7)],
    "absent after a write": [write(0, 1, 1), read(2, 3, ABSENT)],
    "two reads that go back": [
        write(0, 1, 1),
        write(2, 10, 2),
        read(3, 4, 2),
        read(5, 6, 1),
    ],
    "a write seen before its call": [read(0, 1, 1), write(2, 3, 1)],
    "a lost write seen before its call": [read(0, 1, 1), write(2, NEVER, 1)],
    "a lost write that comes and goes": [
        write(0, 1, 1),
        write(2, NEVER, 2),
        read(3, 4, 2),
        read(5, 6, 1),
    ],
    "two cas from one value": [write(0, 1, 1), cas(2, 3, 1, 2), cas(4, 5, 1, 3)],
    "a lost cas used twice": [
        write(0, 1, 1),
        cas(2, NEVER, 1, 2),
        read(3, 4, 2),
        write(5, 6, 1),
        read(7, 8, 1),
        read(9, 10, 2),
        read(11, 12, 1),
    ],
    "a cas that failed without a reason": [write(0, 1, 1), cas(2, 3, 1, 2, MISMATCH)],
    "a cas that found no key where there is one": [write(0, 1, 1), cas(2, 3, 1, 2, NO_KEY)],
    "a mismatch where there is no key": [cas(0, 1, 1, 2, MISMATCH)],
    "a failed cas that happened": [
        write(0, 1, 1),
        cas(2, 3, 9, 2, MISMATCH),
        read(4, 5, 2),
    ],
}


@pytest.mark.parametrize("name", LINEARIZABLE)
def test_a_linearizable_history_passes(name):
    assert why_not_linearizable(LINEARIZABLE[name]) is None


@pytest.mark.parametrize("name", NOT_LINEARIZABLE)
def test_a_history_that_is_not_linearizable_is_refused(name):
    assert why_not_linearizable(NOT_LINEARIZABLE[name])


def every_order(history):
    """The definition, written down: a set of the lost ones, an order, the order kept by time."""
    certain = [item for item in history if item.returned != NEVER]
    lost = [item for item in history if item.returned == NEVER]
    for count in range(len(lost) + 1):
        for happened in itertools.combinations(lost, count):
            if any(_holds(order) for order in itertools.permutations([*certain, *happened])):
                return True
    return False


def _holds(order):
    value = ABSENT
    for place, item in enumerate(order):
        if any(later.returned < item.called for later in order[place + 1 :]):
            return False
        value = after(item, value)
        if value is None:
            return False
    return True


def drawn(random_source):
    history = []
    for _ in range(random_source.randint(1, 5)):
        called = random_source.randint(0, 6)
        lost = random_source.random() < 0.25
        returned = NEVER if lost else called + random_source.randint(1, 6)
        value, other = random_source.randint(1, 2), random_source.randint(1, 2)
        kind = random_source.choice(["write", "cas"] if lost else ["read", "read", "write", "cas"])
        if kind == "read":
            history.append(read(called, returned, random_source.choice([value, ABSENT])))
        elif kind == "write":
            history.append(write(called, returned, value))
        else:
            result = random_source.choice([OK, OK, MISMATCH, NO_KEY])
            history.append(cas(called, returned, value, other, result))
    return history


def test_it_agrees_with_trying_every_order():
    print("seed", SEED)
    random_source = random.Random(SEED)
    verdicts = {True: 0, False: 0}
    for _ in range(RANDOM_HISTORIES):
        history = drawn(random_source)
        expected = every_order(history)
        verdicts[expected] += 1
        reason = why_not_linearizable(history)
        assert (reason is None) == expected, "\n".join(map(str, history))
    assert min(verdicts.values()) > RANDOM_HISTORIES // 10, verdicts


def true_history(random_source, count, clients):
    """What clients of a real register see; one operation in ten is lost."""
    value, history, free_at = ABSENT, [], [0.0] * clients
    for number in range(count):
        client = free_at.index(min(free_at))
        called = free_at[client] + random_source.random()
        happens = called + random_source.random()
        returned = happens + random_source.random()
        free_at[client] = returned
        history.append((happens, number, called, returned))
    done = []
    for happens, number, called, returned in sorted(history):
        kind = random_source.choice(["read", "write", "cas"])
        lost = random_source.random() < 0.1
        if kind == "read":
            done.append(read(called, returned, value))
            continue
        if kind == "write":
            value = number
            done.append(write(called, NEVER if lost else returned, number))
            continue
        expected = value if random_source.random() < 0.5 else random_source.randint(0, number)
        result = NO_KEY if value == ABSENT else OK if value == expected else MISMATCH
        if result == OK:
            value = number
        done.append(cas(called, NEVER if lost else returned, expected, number, result))
    return done


def test_long_histories_of_a_true_register_pass_and_one_wrong_read_is_found():
    print("seed", SEED)
    random_source = random.Random(SEED)
    for _ in range(8):
        history = true_history(random_source, count=300, clients=6)
        assert why_not_linearizable(history) is None
        reads = [
            index
            for index, item in enumerate(history)
            if item.kind == "read" and item.result not in (ABSENT, 0)
        ]
        wrong = random_source.choice(reads)
        history[wrong] = history[wrong]._replace(result=-1)
        assert why_not_linearizable(history)


def error(code):
    return {"type": "error", "code": code, "text": "why"}


CAS = {"type": "cas", "key": "k", "from": 1, "to": 2}
WRITE = {"type": "write", "key": "k", "value": 1}
READ = {"type": "read", "key": "k"}


@pytest.mark.parametrize("code", [1, 10, 11, 12, 14])
def test_what_definitely_did_not_happen_is_left_out(code):
    assert [operation(asked, error(code), 0, 1) for asked in (CAS, WRITE, READ)] == [None] * 3


@pytest.mark.parametrize("answer", [None, error(messages.TIMEOUT), error(messages.CRASH)])
def test_what_may_have_happened_has_no_end(answer):
    assert operation(READ, answer, 0, 1) is None
    for asked in (CAS, WRITE):
        seen = operation(asked, answer, 0, 1)
        assert (seen.result, seen.returned) == (UNKNOWN, NEVER)


def test_errors_of_the_store_tell_of_its_value():
    assert operation(READ, error(20), 0, 1).result == ABSENT
    assert operation(CAS, error(20), 0, 1).result == NO_KEY
    assert operation(CAS, error(22), 0, 1).result == MISMATCH


@pytest.mark.parametrize("asked, code", [(WRITE, 20), (WRITE, 22), (READ, 22), (CAS, 21)])
def test_an_error_that_cannot_be_is_refused(asked, code):
    with pytest.raises(AssertionError):
        operation(asked, error(code), 0, 1)
