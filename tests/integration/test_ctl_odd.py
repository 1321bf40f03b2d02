"""`sluice ctl` where something is odd: the server, the names, the terminal."""
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from support import requires
from support.admin import ADMIN
from support.backends import Backend, Hanging, backends
from support.canned import Canned, json_answer
from support.ctl import DONE, REFUSED, UNREACHABLE, USAGE, Ctl
from support.processes import end, spawn
from support.sluice import EXECUTABLE, Sluice, front, run


@pytest.fixture
def running():
    with backends(2, "banner") as servers, Sluice(front(servers, **ADMIN)) as sluice:
        yield sluice, Ctl(sluice)


# --- what may be odd about the other side ---------------------------------------------------------


def ask(server, *words, within=30):
    return run("ctl", "--admin", server.address, *words, within=within)


HEAD = b"HTTP/1.1 200 OK\r\n"
CUT_SHORT = {
    "in its head": (HEAD + b"Content-Le", "midst"),
    "in its body": (HEAD + b"Content-Length: 100\r\n\r\n{", "midst"),
    "in a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", "midst"),
    "before it begins": (b"", "without an answer"),
}


@pytest.mark.parametrize("where", CUT_SHORT)
def test_an_answer_that_is_cut_short_says_so(where):
    said, words = CUT_SHORT[where]
    with Canned(said) as server:
        for form in ((), ("--json",)):
            done = ask(server, *form, "status")
            assert done.returncode == UNREACHABLE and words in done.stderr, done.stderr
            assert done.stdout == ""


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"v" * 100_000 + b"\r\n\r\n",
    ],
    ids=["ssh", "tls", "no length", "a huge head"],
)
def test_who_does_not_speak_http_is_no_admin_api(said):
    with Canned(said) as server:
        done = ask(server, "status")
        assert done.returncode == UNREACHABLE and "no admin API" in done.stderr


def test_an_answer_that_is_no_json_is_an_error_in_every_form():
    with Canned(json_answer("<html>\x1b[2Jhello")) as server:
        for words in ("status", "clusters", "config", "drain a/b", "--json status"):
            done = ask(server, *words.split())
            assert done.returncode == UNREACHABLE, words
            assert done.stderr and done.stdout == "" and "\x1b" not in done.stderr


@pytest.mark.parametrize(
    "answer, words",
    [
        (json_answer("<html>no\x1b[2J</html>\n" + "x" * 100_000, "502 Bad"), "<html>no?[2J"),
        (json_answer("", "503 Service Unavailable"), "503"),
        (json_answer("", "302 Found"), "302"),
        (json_answer('{"error":"be\\u001bgone\\u009b"}', "403 Forbidden"), "be?gone?"),
        (json_answer('{"other":1}', "500 Internal Server Error"), '{"other":1}'),
    ],
)
def test_a_refusal_is_told_in_a_line_that_does_the_terminal_no_harm(answer, words):
    with Canned(answer) as server:
        done = ask(server, "status")
        assert done.returncode == REFUSED and words in done.stderr
        assert len(done.stderr) < 400 and done.stderr.count("\n") == 1


def test_names_with_control_characters_in_them_do_the_terminal_no_harm():
    listener = {"name": "a\x1b]0;x\x07", "addresses": ["b\n"], "cluster": "c\x9b"}
    counts = {"active_connections": 0, "max_connections": None}
    body = json.dumps({"listeners": [{**listener, **counts}]})
    with Canned(json_answer(body)) as server:
        shown = ask(server, "listeners").stdout
        assert "a?]0;x?" in shown and "b?" in shown and "c?" in shown
        assert json.loads(ask(server, "--json", "listeners").stdout) == json.loads(body)


def test_a_huge_answer_is_read_and_an_endless_one_is_not():
    body = json.dumps({"listeners": [], "more": "x" * (32 << 20)})
    with Canned(json_answer(body)) as server:
        assert ask(server, "listeners").returncode == DONE
        assert len(ask(server, "--json", "listeners").stdout) == len(body)
    with Canned(HEAD + b"\r\n", *[b"x" * (1 << 20)] * 300) as server:
        done = ask(server, "status", within=120)
        assert done.returncode == UNREACHABLE and "no admin API" in done.stderr
    with Canned(HEAD + b"\r\ndata: ", *[b"x" * 65536] * 100) as server:
        assert ask(server, "events").returncode == UNREACHABLE


def test_a_server_that_says_nothing_is_not_awaited_for_ever(tmp_path):
    with Canned(hangs=True) as silent, Canned(HEAD, hangs=True, path=tmp_path / "s") as half:
        for server in (silent, half):
            begun = time.monotonic()
            done = ask(server, "status")
            assert done.returncode == UNREACHABLE and "does not answer" in done.stderr
            assert 8 < time.monotonic() - begun < 15


@requires.own_namespace
def test_a_server_that_cannot_be_reached_is_not_awaited_for_ever():
    with Hanging() as server:
        begun = time.monotonic()
        done = ask(server, "status")
        assert done.returncode == UNREACHABLE and "does not answer" in done.stderr
        assert time.monotonic() - begun < 15


@requires.root
def test_without_permission_it_says_what_to_do(tmp_path):
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    with Canned(path=tmp_path / "s") as server:
        (tmp_path / "s").chmod(0o660)
        words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        done = subprocess.run(
            [*words, EXECUTABLE, "ctl", "--admin", server.address, "status"],
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == UNREACHABLE
        assert "Permission denied" in done.stderr and "owner and group" in done.stderr


def test_a_server_that_is_not_there_leads_to_a_question(tmp_path):
    for address in (f"unix:{tmp_path}/none", "127.0.0.1:1"):
        done = run("ctl", "--admin", address, "status")
        assert done.returncode == UNREACHABLE and "is the server running" in done.stderr


# --- how it is called -----------------------------------------------------------------------------


def test_the_address_is_understood_in_every_form_a_configuration_has(running, tmp_path):
    sluice, ctl = running
    port = ctl.address.rsplit(":", 1)[1]
    for form in (f"127.0.0.1:{port}", f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}//"):
        assert run("ctl", "--admin", form, "status").returncode == DONE, form
    # Where it listens on every address; the guard knows nobody of that name.
    assert run("ctl", "--admin", f"0.0.0.0:{port}", "status").returncode == DONE
    for form, words in (
        (f"https://127.0.0.1:{port}", "not https"),
        ("127.0.0.1", "port"),
        ("::1:9901", "brackets"),
        ("unix:", "path"),
        ("127.0.0.1:99999", "port"),
    ):
        done = run("ctl", "--admin", form, "status")
        assert done.returncode == USAGE and words in done.stderr, (form, done.stderr)


@requires.localhost
def test_a_name_is_looked_up_and_the_guard_lets_it_in(running):
    _, ctl = running
    port = ctl.address.rsplit(":", 1)[1]
    assert run("ctl", "--admin", f"localhost:{port}", "status").returncode == DONE


@pytest.mark.parametrize(
    "cluster, backend", [("a/b", "c/d"), ("c:[1]@x", "db/1:80@[x]"), ("a-", "_"), ("a//b", "c")]
)
def test_a_name_is_found_whatever_is_in_it(cluster, backend):
    with Backend("banner") as server:
        conf = front([{"address": server.address, "name": backend}], **ADMIN)
        conf["clusters"][0]["name"] = conf["listeners"][0]["cluster"] = cluster
        with Sluice(conf) as sluice:
            ctl = Ctl(sluice)
            assert ctl.json("drain", f"{cluster}/{backend}")["name"] == backend
            assert backend in ctl("clusters").stdout
            assert ctl("drain", f"{cluster}/nobody", status=REFUSED).stderr


@pytest.mark.parametrize("name", ["a b", "50%", "%2e%2e", "ü", "?x=y", "#", "..", "a\nb", "'\"\\"])
def test_a_name_that_cannot_be_is_asked_for_as_it_was_written(running, name):
    _, ctl = running
    refused = ctl("drain", f"back/{name}", status=REFUSED).stderr
    assert f"no backend '{name}'" in refused or "control character" in refused
    ctl("drain", f"{name}/b1", status=REFUSED)
    ctl("close", name, status=REFUSED)


def test_whoever_closes_its_output_has_heard_enough(running):
    _, ctl = running
    follower = spawn(
        [EXECUTABLE, "ctl", "--admin", ctl.address, "clusters"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    follower.stdout.close()
    try:
        assert follower.wait(10) == DONE
        assert follower.stderr.read() == ""
    finally:
        follower.stdout = None
        end(follower)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_an_output_that_is_full_is_an_error(running):
    _, ctl = running
    for words in (["status"], ["--json", "config"], ["drain", "back/b1"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [EXECUTABLE, "ctl", "--admin", ctl.address, *words],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=20,
            )
        assert done.returncode == UNREACHABLE and "stdout" in done.stderr


def on_a_terminal(words, environment):
    """What it writes to one."""
    near, far = os.openpty()
    process = spawn(words, stdout=far, stderr=far, env={**os.environ, **environment})
    os.close(far)
    shown = b""
    try:
        while piece := os.read(near, 65536):
            shown += piece
    except OSError:  # how the end of a terminal reads
        pass
    os.close(near)
    assert process.wait(10) == DONE
    return shown.decode()


@pytest.mark.parametrize(
    "environment, is_colored", [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)]
)
def test_colour_is_for_terminals_that_want_it(running, environment, is_colored, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    _, ctl = running
    command = [EXECUTABLE, "ctl", "--admin", ctl.address]
    shown = on_a_terminal([*command, "clusters"], environment)
    assert ("\x1b[32mready\x1b[0m" in shown) is is_colored
    assert "\x1b" not in on_a_terminal([*command, "--json", "clusters"], environment)
