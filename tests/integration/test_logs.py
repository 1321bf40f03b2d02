"""The process log, the rotation of both logs, and what is held back or lost of them."""
import fcntl
import json
import os
import signal
import time

from support import kernel
from support.backends import Refusing
from support.sluice import Sluice, front
from support.sockets import outcome, session
from support.waiting import eventually


# Rotation and the process log.


def test_sigusr1_reopens_the_access_log_and_loses_no_line(backend):
    with Sluice(front([backend])) as sluice:
        kept = sluice.directory / "access.log.1"
        for number in range(30):
            with session(sluice, backend):
                pass
            if number == 14:
                sluice.access_log.rename(kept)
                sluice.signal(signal.SIGUSR1)
        eventually(lambda: sluice.access_log.exists(), what="a new file")
        with session(sluice, backend):
            pass
        sluice.eventually(lambda: sluice.session_count() >= 1)
        eventually(
            lambda: len(kept.read_text().splitlines()) + sluice.session_count() == 31,
            what="31 lines in all",
        )
        assert str(kept) not in open_files(sluice.pid)


def open_files(pid):
    return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]


def test_sigusr1_reopens_the_process_log(tmp_path):
    log = tmp_path / "sluice.log"
    with Sluice({**front([]), "log": {"format": "json", "file": str(log)}}, wait=False) as sluice:
        eventually(lambda: log.exists() and '"ready"' in log.read_text(), what="ready, in the file")
        log.rename(tmp_path / "old")
        sluice.signal(signal.SIGUSR1)
        eventually(log.exists, what="a new file")


def test_without_rotation_lines_go_on_into_the_old_file(backend):
    with Sluice(front([backend])) as sluice:
        kept = sluice.directory / "access.log.1"
        with session(sluice, backend):
            pass
        sluice.eventually(lambda: sluice.session_count() == 1)
        sluice.access_log.rename(kept)
        with session(sluice, backend):
            pass
        eventually(
            lambda: len(kept.read_text().splitlines()) == 2, what="the second line in the old file"
        )
        assert not sluice.access_log.exists()


def test_every_line_of_the_process_log_is_json_when_it_is_asked_for():
    with Refusing() as dead, Sluice(front([dead], cluster={"health_check": {}})) as sluice:
        sluice.eventually_event("health", to="unhealthy")
        sluice.finish()
        for line in sluice.stderr().splitlines():
            entry = json.loads(line)
            assert {"time", "level", "message", "event"} <= set(entry), line
            for key, value in entry.items():
                is_number = key.endswith("_ms") or key in ("workers", "max_connections", "sessions")
                assert type(value) is (int if is_number else str), line


def test_listening_ready_and_draining_are_told():
    with Sluice(front([])) as sluice:
        assert sluice.address()[1] > 0
        assert kernel.listening_sockets(sluice.address()[1])
        sluice.finish()
        events = [entry.get("event") for entry in sluice.log() if entry.get("event")]
        assert events.index("listening") < events.index("ready") < events.index("draining")


def test_the_log_level_filters():
    with (
        Refusing() as dead,
        Sluice({**front([dead]), "log": {"format": "json", "level": "error"}}, wait=False) as quiet,
        Sluice(front([dead])) as loud,
    ):
        assert loud.log()
        loud.finish()
        eventually(lambda: kernel.thread_count(quiet.pid) > 1, what="it runs")
        assert [entry for entry in quiet.log() if entry["level"] in ("info", "warning")] == []


# Logs that cannot be written.


def test_a_full_disk_is_named_at_the_latest_when_sluice_ends(backend):
    conf = {**front([backend]), "access_log": {"file": "/dev/full", "format": "json"}}
    with Sluice(conf) as sluice:
        for _ in range(3):
            with session(sluice, backend):
                pass
        sluice.finish()
        told = sluice.events("log_dropped", log="access")
        assert sum(entry["lines"] for entry in told) == 3
        assert {entry["why"] for entry in told} == {"No space left on device"}


def test_a_log_whose_reader_hangs_does_not_keep_sluice_from_ending(backend, tmp_path):
    fifo = tmp_path / "access"
    os.mkfifo(fifo)
    hung = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    # A pipe of one page is full at once.
    fcntl.fcntl(hung, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with Sluice({**front([backend]), "access_log": {"file": str(fifo)}}) as sluice:
            for _ in range(40):
                with session(sluice, backend):
                    pass
            begun = time.monotonic()
            assert sluice.finish() == 0
            assert time.monotonic() - begun < 5
            told = sluice.events("log_dropped", log="access")
            lost = sum(entry["lines"] for entry in told)
            assert lost > 0
            assert os.read(hung, 1 << 20).count(b"\n") + lost == 40
    finally:
        os.close(hung)


# What is held back.


def test_a_backend_that_flaps_is_seen_flapping_and_fills_no_log():
    breaker = {"failure_threshold": 1, "recovery_timeout": "10ms", "max_recovery_timeout": "10ms"}
    cluster = {"circuit_breaker": breaker, "connect_attempts": 1}
    with Refusing("dead") as dead, Sluice(front([dead], cluster=cluster)) as sluice:

        def a_failed_trial():
            outcome(sluice.address())
            return len(sluice.sessions(reason="connect_failed")) >= 60

        sluice.eventually(a_failed_trial, within=30, what="60 failed trials")
        said = sluice.transitions("breaker")
        assert len(said) == 10 and said[0] == ("closed", "open")
        assert not [entry for entry in sluice.events("breaker") if "held_back" in entry]
        sluice.finish()
        last = sluice.events("breaker")[10:]
        assert len(last) == 1, "the last word on it"
        assert last[0]["held_back"] >= 100 and last[0]["ago_ms"] >= 0


def test_a_thousand_backends_that_die_at_once_are_counted_if_not_all_told():
    count = 1000
    dead = [{"name": f"b{n}", "address": f"127.1.{n // 250}.{n % 250 + 1}:9"} for n in range(count)]
    probes = {"interval": "1h", "unhealthy_interval": "1h", "timeout": "5s"}
    with Sluice(front(dead, cluster={"health_check": probes})) as sluice:

        def told():
            held = sluice.events("held_back", of="health")
            return len(sluice.events("health")) + sum(entry["lines"] for entry in held)

        sluice.eventually(lambda: told() == count, within=40, what="all of them are accounted for")
        assert len(sluice.events("health")) <= count * 0.9
        assert sluice.events("held_back")


def test_a_second_sigterm_says_what_it_does(backend):
    with Sluice(front([backend], drain_timeout="1m")) as sluice, session(sluice, backend):
        sluice.signal(signal.SIGTERM)
        sluice.eventually_event("draining")
        assert not sluice.events("cutting")
        sluice.signal(signal.SIGTERM)
        assert sluice.wait(within=5) == 0
        assert sluice.events("cutting")[0]["sessions"] == 1
