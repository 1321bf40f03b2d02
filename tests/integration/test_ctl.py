"""`sluice ctl` against a running one: tables, JSON, exit statuses, the stream, completion."""
import json
import os
import shutil
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.admin import ADMIN, TOKEN, Admin
from support.backends import Backend, backends
from support.ctl import DONE, REFUSED, UNREACHABLE, USAGE, Ctl
from support.processes import end, spawn
from support.sluice import EXECUTABLE, Sluice, front, run
from support.sockets import connect, greeting
from support.waiting import eventually

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def running():
    with backends(2, "banner") as servers, Sluice(front(servers, **ADMIN)) as sluice:
        yield sluice, Ctl(sluice)


def test_tables_say_what_the_api_says(running):
    sluice, ctl = running
    told = ctl("status").stdout
    assert "accepting" in told and f"process {sluice.pid}" in told and "2 of 2 available" in told
    lines = [line.split() for line in ctl("clusters").stdout.splitlines()]
    assert lines[0][:4] == ["CLUSTER", "BACKEND", "ADDRESS", "STATE"]
    assert [line[:2] for line in lines[1:]] == [["back", "b1"], ["back", "b2"]]
    assert lines[1][3:] == ["ready", "no", "probes", "closed", "1", "0", "0", "0", "-"]
    ctl("maintenance", "back/b2")
    ctl("trip", "back/b2")
    out = ctl("clusters").stdout.splitlines()[2]
    assert out.endswith("administrative breaker"), "why it is given nobody"
    ctl("reset", "back/b2")
    ctl("ready", "back/b2")
    with connect(sluice.address()) as client:
        client.recv(64)
        name = "%s:%d" % client.getsockname()
        listed = eventually(lambda: name in ctl("sessions").stdout and ctl("sessions").stdout)
        assert "relaying" in listed and "round_robin" in listed
        listener = ctl("listeners").stdout.splitlines()[1].split()
        assert listener == ["front", "%s:%d" % sluice.address(), "back", "1", "-"]
    assert json.loads(ctl("config").stdout)["admin"]["address"] == "127.0.0.1:0"
    assert "\x1b" not in told, "no colour where there is no terminal"


def test_json_is_the_apis_answer(running):
    sluice, ctl = running
    admin = Admin(sluice)
    assert ctl.json("clusters") == admin.get("/api/clusters")
    assert ctl.json("listeners") == admin.get("/api/listeners")
    assert ctl.json("config") == admin.get("/api/config")
    assert ctl.json("sessions", "--limit", "5") == {
        "total": 0,
        "matching": 0,
        "complete": True,
        "sessions": [],
        "next": None,
    }
    assert ctl.json("status")["pid"] == sluice.pid


def test_backends_are_set_and_seen(running):
    sluice, ctl = running
    admin = Admin(sluice)
    assert "draining" in ctl("drain", "back/b1").stdout
    assert admin.backend("b1")["administrative"]["state"] == "draining"
    assert {greeting(sluice.address()) for _ in range(4)} == {"b2"}
    ctl("ready", "back/b1")
    ctl("maintenance", "back/b2")
    assert {greeting(sluice.address()) for _ in range(4)} == {"b1"}
    ctl("ready", "back/b2")
    assert "breaker open, trial in" in ctl("trip", "back/b1").stdout
    assert admin.backend("b1")["breaker"]["state"] == "open"
    ctl("reset", "back/b1")
    assert admin.backend("b1")["breaker"]["state"] == "closed"
    assert ctl.json("weight", "back/b1", "5")["weight"] == 5


def test_a_name_with_odd_characters_is_found():
    with Backend("banner") as server:
        name = "db/1:80@[x]"
        conf = front([{"address": server.address, "name": name}], **ADMIN)
        conf["clusters"][0]["name"] = conf["listeners"][0]["cluster"] = "c:[1]"
        with Sluice(conf) as sluice:
            assert Ctl(sluice).json("drain", f"c:[1]/{name}")["name"] == name


def test_a_session_is_closed(running):
    sluice, ctl = running
    with connect(sluice.address()) as client:
        client.recv(64)
        session = eventually(lambda: ctl.json("sessions")["sessions"])[0]
        ctl("close", session["id"])
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert sluice.eventually_session()["reason"] == "shutdown"
    refused = ctl("close", session["id"], status=REFUSED)
    assert "no such session" in refused.stderr


def test_sessions_are_found_by_where_they_are(running):
    sluice, ctl = running
    with ExitStack() as clients:
        names = []
        while set(names) != {"b1", "b2"}:  # each worker begins its turns anywhere
            client = clients.enter_context(connect(sluice.address()))
            names.append(client.recv(64).decode().strip())
        everyone = len(names)
        eventually(lambda: ctl.json("sessions")["total"] == everyone)
        found = ctl.json("sessions", "--backend", "back/b1")
        its = names.count("b1")
        assert [session["backend"] for session in found["sessions"]] == ["b1"] * its
        assert (found["total"], found["matching"], found["next"]) == (everyone, its, None)
        of_cluster = ctl.json("sessions", "--listener", "front", "--cluster", "back")
        assert of_cluster["matching"] == everyone
        first = ctl.json("sessions", "--limit", "1")
        rest = ctl.json("sessions", "--after", first["next"])
        assert rest["next"] is None and rest["matching"] == everyone
        ids = [session["id"] for session in first["sessions"] + rest["sessions"]]
        assert ids == [session["id"] for session in ctl.json("sessions")["sessions"]]
        told = ctl("sessions", "--limit", "1").stdout
        behind = f"those behind them: a higher --limit, or --after {ids[0]}"
        assert f"1 of {everyone}; {behind}" in told
        assert ctl.json("sessions", "--backend", "back/gone")["matching"] == 0
        assert "no cluster 'x'" in ctl("sessions", "--cluster", "x", status=REFUSED).stderr
        assert "no listener 'x'" in ctl("sessions", "--listener", "x", status=REFUSED).stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--limit", "1001"],
        ["--limit", "0"],
        ["--limit", "abc"],
        ["--cluster", ""],
        ["--backend", "b1"],
        ["--backend", "back/b1", "--cluster", "back"],
    ],
)
def test_what_no_list_of_sessions_can_be_is_bad_usage_before_anybody_is_asked(words):
    done = run("ctl", "--admin", "127.0.0.1:1", "sessions", *words)
    assert done.returncode == 2, done.stderr


def test_the_exit_status_says_how_it_went(running):
    _, ctl = running
    assert "no cluster 'x'" in ctl("drain", "x/b1", status=REFUSED).stderr
    assert "no backend 'x'" in ctl("drain", "back/x", status=REFUSED).stderr
    assert "0 to 1000" in ctl("weight", "back/b1", "1001", status=USAGE).stderr
    assert "reload" in ctl("reload", status=REFUSED).stderr
    assert "CLUSTER/BACKEND" in ctl("drain", "b1", status=USAGE).stderr
    ctl("explode", status=USAGE)
    ctl("drain", status=USAGE)
    ctl("weight", "back/b1", status=USAGE)
    json.loads(ctl("--json", "drain", "x/b1", status=REFUSED).stdout)["error"]


def test_where_the_server_is_comes_from_the_environment_too(running):
    _, ctl = running
    environment = {**os.environ, "SLUICE_ADMIN": ctl.address}
    assert "accepting" in run("ctl", "status", env=environment).stdout
    environment["SLUICE_ADMIN"] = f"http://{ctl.address}/"
    assert "accepting" in run("ctl", "status", env=environment).stdout
    del environment["SLUICE_ADMIN"]
    lost = run("ctl", "status", env=environment)
    assert lost.returncode == USAGE
    assert "--admin" in lost.stderr and "SLUICE_ADMIN" in lost.stderr


def test_a_server_that_is_not_there_or_another_one_is_unreachable():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % nobody.getsockname()[1]
        lost = run("ctl", "--admin", address, "status")
        assert lost.returncode == UNREACHABLE and "refused" in lost.stderr
    assert run("ctl", "--admin", "unix:/nowhere/x", "status").returncode == UNREACHABLE
    assert run("ctl", "--admin", "nonsense", "status").returncode == USAGE
    with Backend("banner") as other:
        lost = run("ctl", "--admin", other.address, "status")
        assert lost.returncode == UNREACHABLE and "no admin API" in lost.stderr


def test_the_token_is_sent(tmp_path):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    wrong = tmp_path / "wrong"
    wrong.write_text(TOKEN[::-1])
    settings = {"admin": {"address": f"unix:{tmp_path}/admin", "token_file": str(token)}}
    with Backend("banner", "b1") as b1, Sluice(front([b1], **settings)) as sluice:
        for words in (("drain", "back/b1"), ("config",)):
            assert "--token-file FILE" in Ctl(sluice)(*words, status=REFUSED).stderr
            refused = Ctl(sluice, "--token-file", wrong)(*words, status=REFUSED)
            assert f"{wrong} has another" in refused.stderr
        large = tmp_path / "large"
        large.write_text(TOKEN + "\n" * 4096)
        refused = Ctl(sluice, "--token-file", large)("drain", "back/b1", status=USAGE)
        assert f"{large}: it is larger than 4096 bytes" in refused.stderr
        assert Ctl(sluice, "--token-file", token).json("config")["admin"]
        Ctl(sluice, "--token-file", tmp_path / "none")("drain", "back/b1", status=USAGE)
        Ctl(sluice)("clusters")
        Ctl(sluice, "--token-file", token)("drain", "back/b1")
        assert Admin(sluice).backend("b1")["administrative"]["state"] == "draining"


def test_events_are_followed(running, tmp_path):
    sluice, ctl = running
    seen = tmp_path / "events"
    with open(seen, "w") as output:
        follower = spawn(
            [EXECUTABLE, "ctl", "--admin", ctl.address, "events"],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )
    try:

        def seen_after_another():
            ctl("trip", "back/b1")
            ctl("reset", "back/b1")
            return "back breaker of b1: closed -> open: by an operator" in seen.read_text()

        eventually(seen_after_another)
        assert sluice.finish() == 0
        assert follower.wait(5) == UNREACHABLE
        assert "ended" in follower.stderr.read()
    finally:
        end(follower)


def test_whoever_has_heard_enough_of_the_events_ends_it_quietly(running):
    _, ctl = running
    follower = spawn(
        [EXECUTABLE, "ctl", "--admin", ctl.address, "--json", "events"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:

        def is_gone():
            ctl("trip", "back/b1")
            ctl("reset", "back/b1")
            return follower.poll() is not None

        eventually(lambda: ctl("trip", "back/b1") and True)
        follower.stdout.close()
        eventually(is_gone)
        assert follower.returncode == DONE
        assert follower.stderr.read() == ""
    finally:
        follower.stdout = None
        end(follower)


def test_the_process_is_drained(running):
    sluice, ctl = running
    ctl("drain", "--process")
    assert sluice.wait(10) == 0


COMPLETIONS = PROJECT / "conf" / "completions"


def complete(*words, environment=None):
    """What bash offers for the last of these words."""
    script = f"""
        source {COMPLETIONS / "sluice.bash"}
        COMP_LINE='{" ".join(words)}'
        COMP_POINT=${{#COMP_LINE}}
        _sluice
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, **(environment or {})},
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_words_options_and_backends(running):
    _, ctl = running
    assert complete("sluice", "c") == ["check", "ctl"]
    assert set(complete("sluice", "ctl", "re")) == {"ready", "reset", "reload"}
    assert complete("sluice", "ctl", "--admin", "x:1", "stat") == ["status"]
    assert "--config" in complete("sluice", "run", "--")
    assert complete("sluice", "run", "--log-level", "w") == ["warning"]
    assert complete("sluice", "ctl", "sessions", "--li") == ["--limit", "--listener"]
    offered = complete(EXECUTABLE, "ctl", "drain", "", environment={"SLUICE_ADMIN": ctl.address})
    assert {"back/b1", "back/b2", "--process"} <= set(offered)
    offered = complete(EXECUTABLE, "ctl", "--admin", ctl.address, "trip", "back/")
    assert offered == ["back/b1", "back/b2"]


def weight_of_first(ctl):
    return ctl.json("clusters")["clusters"][0]["backends"][0]["weight"]


@pytest.mark.parametrize(
    "shell, load",
    [
        (["bash", "--norc", "--noprofile", "-i"], f". '{COMPLETIONS / 'sluice.bash'}'"),
        (["zsh", "-f", "-i"], f"fpath+=('{COMPLETIONS}'); autoload -U compinit; compinit -D -u"),
    ],
    ids=["bash", "zsh"],
)
def test_words_and_backends_are_completed_behind_an_address_that_is_typed(running, shell, load):
    """By a real shell on a terminal: it is the line editor that breaks words at colons."""
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]} here")
    _, ctl = running
    ours, its = os.openpty()
    path = f"{Path(EXECUTABLE).parent}:{os.environ['PATH']}"
    process = spawn(
        shell, stdin=its, stdout=its, stderr=its, env={**os.environ, "PATH": path, "TERM": "dumb"}
    )
    try:
        os.write(ours, f"{load}\n".encode())
        os.write(ours, f"sluice ctl --admin {ctl.address} wei\tb\t1 5\n".encode())
        eventually(lambda: weight_of_first(ctl) == 5)
    finally:
        end(process)
        os.close(ours)
        os.close(its)


def test_every_word_is_completed_in_every_shell():
    help_text = run("ctl", "--help").stdout
    words = [line.split()[0] for line in help_text.split("Subcommands:")[1].splitlines() if line]
    assert "weight" in words
    for name in ("sluice.bash", "_sluice", "sluice.fish"):
        text = (COMPLETIONS / name).read_text()
        assert [word for word in words if word not in text] == [], name


@pytest.mark.parametrize("shell, name", [("zsh", "_sluice"), ("fish", "sluice.fish")])
def test_completion_files_are_read_by_their_shell(shell, name):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    subprocess.run([shell, "-n", COMPLETIONS / name], check=True, timeout=20)
