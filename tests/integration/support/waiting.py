"""Waiting for a condition that is seen from outside. Tests never sleep to synchronise."""
import time


def eventually(predicate, within=5.0, every=0.01, what="the condition"):
    """Polls until the predicate holds, returns what it returned; fails after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(
                f"not within {within:g} s: {what}"
                if isinstance(what, str)
                else f"not within {within:g} s: {what()}"
            )
        time.sleep(every)


def always(predicate, during, every=0.02, what="the condition"):
    """Watches for `during` seconds that the predicate goes on to hold: the only way to see that
    nothing happens."""
    deadline = time.monotonic() + during
    while True:
        assert predicate(), f"did not hold for {during:g} s: {what}"
        if time.monotonic() > deadline:
            return
        time.sleep(every)
