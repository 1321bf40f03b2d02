"""Random things said to nodes with manual clocks, and what must hold after each: every echo has its
one answer in time, a half-open backend has one trial, counts fit together."""
import os
import random
from collections import Counter

from world.manual import ManualWorld
from world.messages import TIMEOUT, UNAVAILABLE

NAMES = ["n1", "n2", "n3"]
MADE_UP = ["b1", "b2"]  # driven by reports alone
STEPS = 200
PATIENCE_MS = 5_000
LOOK_MS = 500
STEP_MS = (1, 50, 100, 250, 1_000)
FAILURES_MAX = 5  # failure_threshold
TRIAL_MS = 2_000  # connect_timeout: so long a trial may be out
FIRST_SEED = int(os.environ.get("SLUICE_SEED", "1"))
SEEDS = range(FIRST_SEED, FIRST_SEED + 4)


class Actions:
    """What may happen, each to n1, and what is known of it."""

    def __init__(self, world, seed):
        self._world = world
        self._random = random.Random(seed)
        self._now = 0
        self.unanswered = {}  # msg_id: (when, what was asked), those without an answer
        self._trials = {}  # made-up backend: when its trial was given out
        self._opens = {}
        self._list = []
        self.ends = Counter()  # of echoes, by code; of trials
        self.replace()

    def step(self):
        often = [self.echo] * 6 + [self.report] * 5 + [self.route] * 3
        self._random.choice(often + [self.cut, self.heal, self.leap, self.replace])()
        self.advance(self._random.choice(STEP_MS))
        self._check_status()

    def echo(self):
        value = self._random.random()
        self._world.ask("n1", "echo", echo=value)
        self.unanswered[self._world.asked] = (self._now, value)

    def report(self):
        backend = self._random.choice(self._list)
        success = self._random.random() < 0.1
        answer = self._world.ask("n1", "report", backend=backend, success=success)
        assert answer["type"] == "report_ok" and answer["backend"] == backend
        if success:
            assert answer["consecutive_failures"] == 0 or answer["state"] == "open"
        self._trials.pop(backend, None)

    def route(self):
        answer = self._world.ask("n1", "route")
        if answer["type"] == "error":
            assert answer["code"] == UNAVAILABLE
            return
        backend = answer["backend"]
        if not answer["trial"]:
            return
        self.ends["trials"] += 1
        given_out = self._trials.get(backend)
        alone = given_out is None or self._now - given_out >= TRIAL_MS
        assert alone, f"a second trial of {backend}"
        self._trials[backend] = self._now

    def cut(self):
        one, other = self._random.sample(NAMES, 2)
        self._world.cut.add((one, other))

    def heal(self):
        self._world.cut.clear()

    def leap(self):
        """Long enough for an open circuit to be half-open."""
        self.advance(40_000)
        for _ in range(4):
            self.route()

    def replace(self):
        """Another list; who stays in it keeps its state."""
        everybody = MADE_UP + NAMES[1:]
        self._list = self._random.sample(everybody, self._random.randint(1, len(everybody)))
        assert self._world.ask("n1", "backends", backends=self._list)["type"] == "backends_ok"
        for known in (self._opens, self._trials):
            for gone in set(known) - set(self._list):
                del known[gone]

    def advance(self, ms):
        """n1 in small steps, to see when it answers."""
        for begun in range(0, ms, LOOK_MS):
            step = min(LOOK_MS, ms - begun)
            self._now += step
            assert self._world.ask("n1", "advance", ms=step)["now_ms"] == self._now
            self._check_echoes()
        for name in NAMES[1:]:
            assert self._world.ask(name, "advance", ms=ms)["now_ms"] == self._now

    def _check_echoes(self):
        for number, (asked_at, value) in list(self.unanswered.items()):
            answer = self._world.answers.get(number)
            if answer is None:
                assert self._now - asked_at < PATIENCE_MS, "no answer in time"
                continue
            del self.unanswered[number]
            if answer["type"] == "error":
                self.ends[answer["code"]] += 1
            else:
                assert answer["echo"] == value
                self.ends["echoed"] += 1

    def _check_status(self):
        status = self._world.status("n1")
        assert sorted(status) == sorted(self._list)
        for name, backend in status.items():
            assert backend["opens"] >= self._opens.get(name, 0)
            self._opens[name] = backend["opens"]
            assert backend["breaker"] in ("closed", "open", "half_open")
            if backend["breaker"] == "closed":
                assert backend["consecutive_failures"] < FAILURES_MAX
            else:
                assert backend["opens"] > 0
            assert backend["health"] in ("unknown", "healthy", "unhealthy")
            assert name not in MADE_UP or backend["health"] == "unknown"


def play(seed, steps=STEPS):
    print("seed", seed)
    with ManualWorld(NAMES) as world:
        actions = Actions(world, seed)
        for _ in range(steps):
            actions.step()
        actions.advance(PATIENCE_MS)
        assert not actions.unanswered
        print(actions.ends)
        return world.journal, actions.ends


def test_what_must_hold_holds_after_each_step():
    ends = sum((play(seed)[1] for seed in SEEDS), Counter())
    assert ends["echoed"] > 0 and ends["trials"] > 0, ends
    assert ends[TIMEOUT] + ends[UNAVAILABLE] > 0, ends


def test_the_same_seed_gives_the_same_lines():
    first, _ = play(1, 100)
    second, _ = play(1, 100)
    assert first == second
