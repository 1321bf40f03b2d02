"""What is known of the backends outlives the process: killed, ended, upgraded."""
import json
import random
import signal
import time

import pytest

from support.backends import Backend, Refusing
from support.sluice import Sluice, front, run
from support.sockets import REFUSED, greeting, outcome
from support.waiting import eventually

BREAKER = {
    "circuit_breaker": {"failure_threshold": 1, "recovery_timeout": "1m", "jitter": 0},
    "connect_attempts": 1,
}


def kill(sluice):
    sluice.signal(signal.SIGKILL)
    assert sluice.wait(5) == -signal.SIGKILL


def entry(backend, **fields):
    """A backend in the state file, as configured unless said otherwise."""
    as_configured = {"configured": {"state": "ready", "weight": 1}, "state": "ready", "weight": 1}
    return {
        "name": backend.name,
        "address": backend.address,
        **as_configured,
        "unhealthy": False,
        **fields,
    }


def write_state(path, entries, age=0.0):
    state = {
        "sluice_state": 1,
        "written_at_ms": int((time.time() - age) * 1000),
        "clusters": [{"name": "back", "backends": entries}],
    }
    path.write_text(json.dumps(state))


def open_entry(backend, seconds=60):
    reopens_at = int((time.time() + seconds) * 1000)
    return entry(backend, breaker={"reopens_at_ms": reopens_at, "failed_trials": 0})


def first_reason(sluice):
    """Why the first client was refused: without a connect, or after one."""
    assert outcome(sluice.address()) == REFUSED
    return sluice.eventually_session()["reason"]


@pytest.mark.parametrize("kept", [True, False])
def test_an_open_breaker_is_open_after_a_kill_and_only_with_a_state_file(tmp_path, kept):
    path = tmp_path / "state.json"
    settings = {"state_file": str(path)} if kept else {}
    with Refusing() as dead:
        conf = front([dead], cluster=BREAKER, **settings)
        with Sluice(conf) as sluice:
            assert first_reason(sluice) == "connect_failed"
            sluice.eventually_event("breaker", to="open")
            if kept:
                eventually(lambda: path.exists() and "reopens_at_ms" in path.read_text())
            kill(sluice)
        with Sluice(conf) as sluice:
            assert first_reason(sluice) == ("no_backend" if kept else "connect_failed")
            if kept:
                told = sluice.events("breaker")[0]
                assert (told["from"], told["to"]) == ("closed", "open")
                assert told["why"] == "as it was before the restart"
                assert 0 < told["retry_in_ms"] <= 60_000


def test_state_is_written_at_the_end_too(tmp_path):
    path = tmp_path / "state.json"
    with Refusing() as dead:
        conf = front([dead], cluster=BREAKER, state_file=str(path))
        with Sluice(conf) as sluice:
            outcome(sluice.address())
            sluice.eventually_event("breaker", to="open")
            assert sluice.finish() == 0
        assert path.stat().st_mode & 0o777 == 0o600
        with Sluice(conf) as sluice:
            assert first_reason(sluice) == "no_backend"


def test_a_damaged_file_is_set_aside_and_ignored(tmp_path):
    path = tmp_path / "state.json"
    with Backend("banner") as server:
        write_state(path, [open_entry(server)])
        damaged = path.read_bytes()[:-3]
        path.write_bytes(damaged)
        with Sluice(front([server], cluster=BREAKER, state_file=str(path))) as sluice:
            assert greeting(sluice.address()) == "b1"
            said = sluice.events("state")[0]
            assert said["level"] == "warning" and "damaged" in said["message"]
        assert (tmp_path / "state.json.damaged").read_bytes() == damaged


@pytest.mark.parametrize("age, reason", [(0, "no_backend"), (30, "connect_failed")])
def test_old_state_is_ignored(tmp_path, age, reason):
    path = tmp_path / "state.json"
    with Refusing() as dead:
        write_state(path, [open_entry(dead)], age=age)
        conf = front([dead], cluster=BREAKER, state_file=str(path), state_max_age="20s")
        with Sluice(conf) as sluice:
            assert first_reason(sluice) == reason


@pytest.mark.parametrize(
    "configured, served", [("ready", False), ("maintenance", True)], ids=["same", "changed"]
)
def test_the_configuration_wins_where_it_changed(tmp_path, configured, served):
    """The file has it draining; the configuration says ready, as it did then or not."""
    path = tmp_path / "state.json"
    with Backend("banner") as server:
        was = {"state": configured, "weight": 1}
        write_state(path, [entry(server, configured=was, state="draining")])
        with Sluice(front([server], state_file=str(path))) as sluice:
            if served:
                assert greeting(sluice.address()) == "b1"
            else:
                assert first_reason(sluice) == "no_backend"


def test_state_of_another_address_or_cluster_is_ignored(tmp_path):
    path = tmp_path / "state.json"
    with Backend("banner") as server:
        moved = entry(server, address="127.0.0.1:9", state="maintenance")
        gone = entry(server, name="gone", state="maintenance")
        write_state(path, [moved, gone])
        with Sluice(front([server], state_file=str(path))) as sluice:
            assert greeting(sluice.address()) == "b1"


def test_a_restored_unhealthy_stands_until_the_first_probe_which_decides_alone(tmp_path):
    path = tmp_path / "state.json"
    cluster = {"health_check": {"interval": "1h", "unhealthy_interval": "1h"}}
    with Backend("banner") as server:
        write_state(path, [entry(server, unhealthy=True)])
        conf = front([server], cluster=cluster, state_file=str(path))
        with Sluice(conf) as sluice:
            sluice.eventually_event("health", to="healthy")
            assert sluice.transitions("health") == [
                ("unknown", "unhealthy"),
                ("unhealthy", "healthy"),
            ]
            assert greeting(sluice.address()) == "b1"


def test_a_directory_that_is_not_there_is_an_error_at_start(conf_file, tmp_path):
    conf = front(["127.0.0.1:9"], state_file=str(tmp_path / "missing" / "state.json"))
    result = run("run", "-c", conf_file(conf))
    assert result.returncode == 3
    assert "missing/state.json: No such file or directory; let this user" in result.stderr


def test_the_file_is_whole_whenever_the_process_is_killed(tmp_path):
    """Killed in the middle of a write, over and over: the file is the old or the new one."""

    def temporaries():
        return list(tmp_path.glob("state.json.tmp.*"))

    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    path = tmp_path / "state.json"
    count, rounds = 3000, 12
    servers = [
        {"name": f"b{number}", "address": f"127.0.{number // 250}.{1 + number % 250}:9"}
        for number in range(count)
    ]
    as_set = {"configured": {"state": "ready", "weight": 1}, "state": "draining", "weight": 7}
    write_state(path, [{**server, **as_set, "unhealthy": False} for server in servers])
    conf = front(servers, state_file=str(path), state_max_age="1m")
    caught = 0
    for _ in range(rounds):
        with Sluice(conf) as sluice:
            eventually(temporaries, within=25, every=0.0005, what="a write begins")
            time.sleep(chance.uniform(0, 0.01))
            kill(sluice)
            caught += len(temporaries())
            assert sluice.events("state", level="warning") == []
        kept = json.loads(path.read_text())["clusters"][0]["backends"]
        assert len(kept) == count
        assert {(one["state"], one["weight"]) for one in kept} == {("draining", 7)}
    print("killed before the rename:", caught, "of", rounds)
