"""The command line and the configuration file as a user meets them: exit statuses, errors,
overrides."""
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support import kernel
from support.backends import Backend
from support.processes import end, spawn
from support.sluice import EXECUTABLE, Sluice, front, run, simple
from support.sockets import connect

PROJECT = Path(__file__).parents[2]
INVALID, USAGE = 1, 2


def test_every_error_of_a_configuration_is_told_with_place_caret_and_suggestion(conf_file):
    path = conf_file(
        """listeners:
  - {name: web, address: 127.0.0.1:0, cluster: web}
  - {name: web, address: 127.0.0.1:0, cluster: nowhere}
clusters:
  - name: web
    backends: [127.0.0.1:9]
    connect_timeout: 500
    health_check:
      intervall: 5s
"""
    )
    for arguments in (["check", "-c", path], ["run", "-c", path]):
        done = run(*arguments)
        assert done.returncode == INVALID
        told = done.stderr + done.stdout
        assert (
            f"{path}:9:7: error: " in told
            and "intervall" in told
            and "did you mean 'interval'" in told
        )
        assert f"{path}:7:22: error: " in told, "a bare number is no duration"
        assert "nowhere" in told and f"{path}:3:" in told
        assert "^~~~" in told
        assert "4 errors" in told


def test_check_is_content_with_a_good_file_and_touches_nothing(conf_file):
    done = run("check", "-c", conf_file(simple("127.0.0.1:7712")))
    assert done.returncode == 0, done.stderr
    assert kernel.listening_sockets(7712) == []


@pytest.mark.parametrize(
    "setting", [{"watch": True}, {"user": "nobody"}, {"sandbox": "off"}]
)
def test_a_setting_that_has_not_come_yet_is_an_error(conf_file, setting):
    done = run("check", "-c", conf_file({**simple(), **setting}))
    assert done.returncode == INVALID
    assert next(iter(setting)) in done.stderr + done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\1\2\xff",
        "[" * 100_000,
        "a: &a [*a, *a]\nb: *nothing",
        "listeners: *:80",
        "a: &a [x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 8)}]\n"
            for i in range(20)
        ),
    ],
)
def test_a_hostile_file_gets_an_error_within_a_second(conf_file, text):
    begun = time.monotonic()
    done = run("check", "-c", conf_file(text))
    assert done.returncode == INVALID and done.stderr + done.stdout
    assert time.monotonic() - begun < 1


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    done = run("run", "-c", tmp_path / "nothing.yaml")
    assert done.returncode in (INVALID, USAGE)
    assert "nothing.yaml" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["no-such-command"],
        ["run"],
        ["run", "-c"],
        ["check"],
        ["run", "-c", "conf/sluice.yaml", "--workers", "many"],
        ["run", "-c", "conf/sluice.yaml", "--workers", "0"],
        ["run", "-c", "conf/sluice.yaml", "--log-level", "loud"],
    ],
)
def test_bad_usage_exits_two_and_says_so_on_stderr(arguments):
    done = run(*arguments, cwd=PROJECT)
    assert done.returncode == USAGE, done.stderr
    assert done.stderr and done.stdout == ""


def test_the_version_names_the_libraries():
    done = run("--version")
    assert done.returncode == 0 and done.stderr == ""
    assert "libuv" in done.stdout and "1.44" in done.stdout and "simdjson" in done.stdout


@pytest.mark.parametrize("command", [[], ["run"], ["check"], ["maelstrom"], ["demo"]])
def test_help_is_there_for_each_command(command):
    done = run(*command, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert "--help" in done.stdout and len(done.stdout.splitlines()) > 3


def test_run_is_the_command_when_none_is_named(conf_file):
    with Backend("banner") as backend:
        path = conf_file(front([backend], log={"format": "json"}), "conf.json")
        process = spawn(
            [EXECUTABLE, "-c", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            for line in process.stderr:
                if '"ready"' in line:
                    break
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=10)
            assert process.returncode == 0 and output == "", "stdout is for what was asked for"
        finally:
            end(process)


def test_set_overrides_one_setting():
    with (
        Backend("banner") as backend,
        Sluice(
            front([]),
            "--set",
            f"clusters.back.backends=[{backend.address}]",
            "--set",
            "listeners.front.idle_timeout=200ms",
        ) as sluice,
        connect(sluice.address()) as client,
    ):
        assert client.recv(64) == b"b1\n"
        assert sluice.eventually_session(reason="idle_timeout")


@pytest.mark.parametrize(
    "override",
    [
        "clusters.back.connect_timeuot=1s",
        "clusters.nowhere.connect_timeout=1s",
        "clusters.back.connect_timeout=soon",
        "nonsense",
    ],
)
def test_a_bad_override_is_an_error(conf_file, override):
    done = run("run", "-c", conf_file(front([])), "--set", override)
    assert done.returncode in (INVALID, USAGE) and done.stderr


def test_workers_is_the_number_of_threads_that_serve():
    def threads(workers):
        with Sluice(front([]), "--workers", str(workers)) as sluice:
            return kernel.thread_count(sluice.pid)

    one, three = threads(1), threads(3)
    assert three - one == 2


def test_the_log_has_no_colours_where_there_is_no_terminal():
    with Sluice({**front([]), "log": {"format": "text"}}, wait=False) as sluice:
        sluice.eventually(lambda: "ready" in sluice.stderr(), what="a ready line as text")
        assert "\x1b" not in sluice.stderr() and "front" in sluice.stderr()


def test_every_file_in_conf_passes_its_own_check():
    files = sorted((PROJECT / "conf").glob("*.yaml"))
    assert PROJECT / "conf" / "sluice.yaml" in files
    for file in files:
        done = run("check", "-c", file)
        assert done.returncode == 0, done.stderr + done.stdout
