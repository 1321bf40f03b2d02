"""Whether a history of one register could have happened one operation at a time.

Wing and Gong's search: of the operations that began before any open one had returned, try each as
the next; remember (after Lowe) what was reached before. Operations of unknown outcome may take
effect at any time after their call, or never; reaching the same place with fewer of them used up is
never worse, which keeps their number from exploding.
"""
from typing import NamedTuple, Optional

from world import messages

ABSENT = ("absent",)  # unlike every value
NEVER = float("inf")
STEPS_MAX = 2_000_000

# Results other than a read's value.
OK, NO_KEY, MISMATCH, UNKNOWN = "ok", "no key", "mismatch", "unknown"
DID_NOT_HAPPEN = {
    messages.NODE_NOT_FOUND,
    messages.NOT_SUPPORTED,
    messages.UNAVAILABLE,
    messages.MALFORMED,
    messages.ABORT,
}


class Operation(NamedTuple):
    called: float
    returned: float
    kind: str  # read, write, cas
    arguments: tuple  # (), (value,), (from, to)
    result: object

    def __str__(self):
        words = ", ".join(map(str, self.arguments))
        until = "..." if self.returned == NEVER else f"{self.returned:.4f}"
        return f"[{self.called:.4f} {until}] {self.kind}({words}) = {self.result}"


class Undecided(AssertionError):
    """The search became too long: draw smaller histories."""


def operation(request, answer, called, returned) -> Optional[Operation]:
    """What a client saw, from both bodies; no answer is None. None when nothing happened, or
    nothing that could tell."""
    kind = request["type"]
    names = {"read": (), "write": ("value",), "cas": ("from", "to")}[kind]
    arguments = tuple(request[name] for name in names)
    result = _result(kind, answer)
    if result is None or (result == UNKNOWN and kind == "read"):
        return None
    until = NEVER if result == UNKNOWN else returned
    return Operation(called, until, kind, arguments, result)


def _result(kind, answer):
    if answer is None:
        return UNKNOWN
    if answer["type"] == "read_ok":
        return answer["value"]
    if answer["type"] != "error":
        return OK
    code = answer["code"]
    if code in DID_NOT_HAPPEN:
        return None
    if code == messages.NO_SUCH_KEY and kind != "write":
        return ABSENT if kind == "read" else NO_KEY
    if code == messages.PRECONDITION_FAILED and kind == "cas":
        return MISMATCH
    assert code in (messages.TIMEOUT, messages.CRASH), f"{kind} was answered {answer}"
    return UNKNOWN


def after(done, value):
    """The register's value after that operation; None when it could not happen to that value."""
    if done.kind == "read":
        return value if done.result == value else None
    if done.kind == "write":
        return done.arguments[0]
    expected, new = done.arguments
    if done.result == NO_KEY:
        return value if value == ABSENT else None
    if done.result == MISMATCH:
        return value if value not in (ABSENT, expected) else None
    return new if value == expected else None


def why_not_linearizable(history):
    """None when it is linearizable, else a text. Values must be hashable and not None."""
    search = _Search(history)
    if search.succeeds():
        return None
    return search.explanation()


class _Search:
    """A place is (which certain operations are done, which uncertain ones, the value)."""

    def __init__(self, history):
        ordered = sorted(history, key=lambda item: item.called)
        self._certain = [item for item in ordered if item.returned != NEVER]
        self._uncertain = [item for item in ordered if item.returned == NEVER]
        self._seen = {}  # (certain done, value): smallest sets of uncertain ones
        self._furthest = 0

    def succeeds(self):
        goal = (1 << len(self._certain)) - 1
        places = [(0, 0, ABSENT)]
        steps = 0
        while places:
            place = places.pop()
            done = place[0]
            if done == goal:
                return True
            if not self._is_new(*place):
                continue
            steps += 1
            if steps > STEPS_MAX:
                raise Undecided(f"after {STEPS_MAX} steps")
            if _count(done) > _count(self._furthest):
                self._furthest = done
            places += self._next(*place)
        return False

    def _is_new(self, done, used, value):
        smallest = self._seen.setdefault((done, value), [])
        if any(known & used == known for known in smallest):
            return False
        smallest[:] = [known for known in smallest if known & used != used]
        smallest.append(used)
        return True

    def _next(self, done, used, value):
        """The places one operation on, the likeliest last."""
        candidates, until = self._open(done)
        for index, item in enumerate(self._uncertain):
            if item.called > until:
                break
            if not used >> index & 1 and (reached := after(item, value)) is not None:
                yield done, used | 1 << index, reached
        for index in reversed(candidates):
            if (reached := after(self._certain[index], value)) is not None:
                yield done | 1 << index, used, reached

    def _open(self, done):
        """Certain operations that may come next, and when the first of those not done returned."""
        candidates, until = [], NEVER
        lowest_undone = ~done & (done + 1)
        for index in range(lowest_undone.bit_length() - 1, len(self._certain)):
            if done >> index & 1:
                continue
            item = self._certain[index]
            if item.called > until:
                break
            candidates.append(index)
            until = min(until, item.returned)
        return [index for index in candidates if self._certain[index].called <= until], until

    def explanation(self):
        stuck, _ = self._open(self._furthest)
        done = _count(self._furthest)
        lines = [f"{done} of {len(self._certain)} operations have an order; none of"]
        lines += [f"  {self._certain[index]}" for index in stuck]
        lines += ["can be next. The history, those without an end of unknown outcome:"]
        everything = sorted(self._certain + self._uncertain, key=lambda item: item.called)
        return "\n".join(lines + [f"  {item}" for item in everything])


def _count(mask):
    return bin(mask).count("1")
