"""Outlier detection with the real binary: who is ejected for what its breaker does not see, and who
is not."""
from support.backends import Backend
from support.probed import Probed
from support.sluice import Sluice, front
from support.sockets import greeting, outcome

ENDED_EARLY = (b"", "fin")
THRESHOLD = 5
EARLY_CLOSE = {"outlier_detection": {"early_close": {"threshold": THRESHOLD}}}


def test_a_backend_that_accepts_and_closes_at_once_is_ejected_and_another_serves():
    with Backend("source", name="mute", stream_bytes=0) as mute, Backend("banner", name="b1") as b1:
        with Sluice(front([mute, b1], cluster=EARLY_CLOSE, workers=1)) as sluice:
            heard = [greeting(sluice.address()) for _ in range(4 * THRESHOLD)]
            told = sluice.eventually_event("breaker", backend="mute", to="open")
            assert told["why"] == "5 connections in a row ended before their first byte"
            assert heard.count("") >= THRESHOLD
            assert [greeting(sluice.address()) for _ in range(10)] == 10 * ["b1"]
            assert sluice.events("breaker", backend="b1") == []


def test_without_early_close_it_is_not():
    """The control; and a detector that looks at connects has nothing against it either."""
    cluster = {"outlier_detection": {"failure_percentage": {"threshold": 1, "min_volume": 1}}}
    with Backend("source", name="mute", stream_bytes=0) as mute, Backend("banner", name="b1") as b1:
        with Sluice(front([mute, b1], cluster=cluster, workers=1)) as sluice:
            heard = [greeting(sluice.address()) for _ in range(8 * THRESHOLD)]
            assert heard.count("") == heard.count("b1") == 4 * THRESHOLD
            assert sluice.events("breaker") == []


def test_the_last_available_backend_is_kept_and_comes_back_after_its_time():
    """Of two that close early one is ejected; once it is, the other one is all that is left."""
    cluster = {
        "outlier_detection": {
            "early_close": {"threshold": 2},
            "max_ejected": 100,
            "base_ejection": "300ms",
        },
        "circuit_breaker": {"jitter": 0},
    }
    with (
        Backend("source", name="one", stream_bytes=0) as one,
        Backend("source", name="two", stream_bytes=0) as two,
        Sluice(front([one, two], cluster=cluster, workers=1)) as sluice,
    ):
        for _ in range(12):
            assert outcome(sluice.address()) == ENDED_EARLY, "never refused: somebody is left"
        sluice.eventually_event("breaker", to="open")
        refused = sluice.eventually_event("ejection_refused", detector="early_close")
        assert refused["why"] == "no other backend would be available"
        sluice.eventually_event("breaker", to="half_open")
        assert outcome(sluice.address()) == ENDED_EARLY
        sluice.eventually_event("breaker", to="closed")


def test_a_backend_whose_connects_fail_now_and_then_is_ejected_by_their_percentage():
    """Never enough in a row for its breaker."""
    breaker = {"circuit_breaker": {"failure_threshold": 3}, "connect_attempts": 1}
    cluster = {
        **breaker,
        "outlier_detection": {"failure_percentage": {"threshold": 60, "min_volume": 12}},
    }
    for settings, is_ejected in ((cluster, True), (breaker, False)):
        with (
            Probed("shaky", speaks_first=b"shaky") as shaky,
            Backend("banner", name="b1") as b1,
            Sluice(front([shaky, b1], cluster=settings, workers=1)) as sluice,
        ):
            for _ in range(4):
                shaky.shut()
                seen = [greeting(sluice.address()) for _ in range(4)]
                assert sorted(seen) == ["", "", "b1", "b1"]
                shaky.open()
                seen = [greeting(sluice.address()) for _ in range(2)]
                assert sorted(seen) == ["b1", "shaky"]
            if is_ejected:
                told = sluice.eventually_event("breaker", backend="shaky", to="open")
                assert told["why"] == "66.7 % of 12 connects failed, 60 % is the limit"
                assert [greeting(sluice.address()) for _ in range(6)] == 6 * ["b1"]
            else:
                assert greeting(sluice.address()) in ("b1", "shaky")
                assert sluice.events("breaker") == []
