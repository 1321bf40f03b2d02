"""Where the logs go: standard streams of every kind, syslog, rotated files; and how a line looks."""
import json
import os
import pty
import re
import signal
import socket
import tempfile
import tty
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import requires
from support.backends import Backend
from support.load import UNDER_LOAD, UNDER_LOAD_RATE_MIN, Load
from support.sluice import Sluice, front, run, simple
from support.sockets import connect, listen, outcome, session
from support.syslog import Daemon
from support.waiting import eventually

AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


# Standard streams.


@contextmanager
def pipe(_):
    reader, writer = os.pipe()
    yield writer, reader
    os.close(reader)


@contextmanager
def stream_socket(_):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield theirs.detach(), ours.fileno()


@contextmanager
def terminal(_):
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield theirs, ours
    os.close(ours)


@contextmanager
def file(tmp_path):
    path = tmp_path / "out"
    yield os.open(path, os.O_WRONLY | os.O_CREAT), os.open(path, os.O_RDONLY)


@contextmanager
def stdout_is(kind, tmp_path, access_log_file, **options):
    """A running Sluice whose stdout is that, and the other end of it."""
    with kind(tmp_path) as (theirs, ours):
        access_log = {"file": access_log_file, "format": "json"}
        with listen() as backend, Sluice(
            front([backend], access_log=access_log), stdout=theirs, **options
        ) as sluice:
            os.close(theirs)
            yield sluice, backend, ours


def read_lines(fd, count):
    text = b""

    def all_there():
        nonlocal text
        text += os.read(fd, 1 << 16)
        return text.count(b"\n") >= count

    os.set_blocking(fd, True)
    eventually(all_there, what=f"{count} lines")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["stdout", "/dev/stdout", "link"])
@pytest.mark.parametrize("kind", [pipe, stream_socket, terminal, file])
def test_a_log_goes_to_stdout_whatever_that_is_and_stays_there(tmp_path, kind, name):
    if name == "link":  # as in a container
        name = str(tmp_path / "access.log")
        os.symlink("/dev/stdout", name)
    with stdout_is(kind, tmp_path, name) as (sluice, backend, ours):
        for number in range(3):
            with session(sluice, backend):
                pass
            if number == 1:
                sluice.signal(signal.SIGUSR1)
                sluice.signal(signal.SIGHUP)
                sluice.eventually_event("reload")
        entries = read_lines(ours, 3)
        assert [entry["backend"] for entry in entries] == ["b1"] * 3
        assert sluice.events("reopen") == [], "there is nothing to open anew"


@requires.root
@pytest.mark.parametrize("kind", [pipe, terminal])
def test_another_user_s_stdout_is_written_to(kind):
    """Nobody may not open root's pipe or terminal by the name /dev/stdout, but has it open."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        conf = Path(directory) / "conf.json"
        with listen() as backend, kind(None) as (theirs, ours):
            settings = front([backend], access_log={"file": "/dev/stdout", "format": "json"})
            conf.write_text(json.dumps({**settings, "log": {"format": "json"}}))
            os.chmod(conf, 0o644)
            with Sluice(
                conf,
                "--set",
                "access_log.file=/dev/stdout",
                stdout=theirs,
                wrapper=AS_NOBODY,
            ) as sluice:
                os.close(theirs)
                with session(sluice, backend):
                    pass
                assert read_lines(ours, 1)[0]["listener"] == "front"


def test_the_process_log_by_the_name_of_stderr_survives_sigusr1():
    conf = {**front([]), "log": {"format": "json", "file": "/dev/stderr"}}
    with Sluice(conf) as sluice:
        sluice.signal(signal.SIGUSR1)
        sluice.signal(signal.SIGHUP)
        sluice.eventually_event("reload")


# Rotation.


def test_rotation_under_load_loses_no_line_and_doubles_none(tmp_path):
    sessions, rotations = 3000, 5
    log = tmp_path / "sluice.log"
    conf_log = {"format": "json", "file": str(log)}
    with Backend("echo") as backend, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = taken.getsockname()
        conf = {**front([backend], listener={"address": "%s:%d" % address}), "log": conf_log}
        taken.close()
        with Sluice(conf, wait=False) as sluice:
            eventually(lambda: log.exists() and '"ready"' in log.read_text(), what="ready")
            with Load(address, **UNDER_LOAD, sessions=sessions) as load:
                for number in range(rotations):
                    sluice.eventually(lambda: sluice.session_count() > 200)
                    sluice.access_log.rename(f"{sluice.access_log}.{number}")
                    log.rename(f"{log}.{number}")
                    sluice.signal(signal.SIGUSR1)
                    eventually(
                        lambda: sluice.access_log.exists() and log.exists(), what="new files"
                    )
                result = load.result()
            print(f"{result['rate']:.0f} sessions/s, errors: {result['errors'][:3]}")
            assert result["sessions"] == sessions and not result["errors"]
            assert sluice.finish() == 0
            files = sorted(sluice.directory.glob("access.log*"))
            lines = [line for path in files for line in path.read_text().splitlines(True)]
            assert len(files) == rotations + 1
            assert all(path.read_text() for path in files)
    assert result["rate"] >= UNDER_LOAD_RATE_MIN
    assert len(lines) == sessions
    assert len(set(lines)) == sessions, "none is there twice"
    for line in lines:
        assert json.loads(line)["reason"] == "client_closed"
    told = [line for path in tmp_path.glob("sluice.log*") for line in path.read_text().splitlines()]
    events = [json.loads(line)["event"] for line in told]
    # Two files each time; what is said ten times a minute in the same words is then held back.
    assert events.count("reopen") == 2 * rotations
    assert events.count("ready") == events.count("stopped") == 1


def test_a_log_that_cannot_be_opened_anew_goes_on_into_the_old_file(backend, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    access = {"file": str(logs / "access.log"), "format": "json"}
    with Sluice(front([backend], access_log=access)) as sluice:
        with session(sluice, backend):
            pass
        logs.rename(tmp_path / "gone")
        sluice.signal(signal.SIGUSR1)
        told = sluice.eventually_event("reopen", level="error")
        assert "the access log still goes to the old file" in told["message"]
        assert "No such file" in told["message"]
        with session(sluice, backend):
            pass
        kept = tmp_path / "gone" / "access.log"
        eventually(lambda: kept.read_text().count("\n") == 2, what="two lines in the old file")
        logs.mkdir()
        sluice.signal(signal.SIGUSR1)
        sluice.eventually_event("reopen", level="info")
        with session(sluice, backend):
            pass
        eventually(lambda: (logs / "access.log").read_text(), what="a line in the new one")
        assert kept.read_text().count("\n") == 2


# Syslog.


def to_syslog(address, **settings):
    return {"file": "syslog", "syslog": {"address": address, **settings}}


def test_both_logs_go_to_syslog(backend, tmp_path):
    path = tmp_path / "dev-log"
    logs = {
        "log": {**to_syslog(f"unix:{path}", facility="local3", tag="lb"), "format": "text"},
        "access_log": {**to_syslog(f"unix:{path}", severity="debug"), "format": "json"},
    }
    with Daemon(path) as daemon:
        with Sluice({**front([backend]), **logs}, wait=False) as sluice:
            listening = r"^<158>\w{3} [ \d]\d \d\d:\d\d:\d\d lb\[%d\]: .* listens on (\S+):(\d+) "
            said = eventually(
                lambda: [m for m in daemon.messages() if "event=ready" in m] and daemon.messages(),
                what="ready",
            )
            found = [re.match(listening % sluice.pid, message) for message in said]
            host, port = [match.groups() for match in found if match][0]
            with connect((host, int(port))), backend.accept():
                pass
            line = eventually(
                lambda: [m for m in daemon.messages() if "sluice[" in m], what="a session"
            )[0]
            assert line.startswith("<135>"), "local0, debug"
            assert json.loads(line.split("]: ", 1)[1])["backend"] == "b1"
            sluice.finish()
            eventually(lambda: "event=stopped" in daemon.messages()[-1], what="stopped")


def test_a_syslog_daemon_that_restarts_under_load_misses_no_session(tmp_path):
    path = tmp_path / "dev-log"
    sessions = 3000
    access = {**to_syslog(f"unix:{path}"), "format": "json"}
    bodies = []
    with Backend("echo") as backend:
        daemon = Daemon(path)
        with Sluice(front([backend], access_log=access)) as sluice:
            with Load(sluice.address(), **UNDER_LOAD, sessions=sessions) as load:
                for _ in range(3):
                    eventually(lambda: len(daemon.messages()) > 300, what="sessions at the daemon")
                    daemon.stop()
                    path.unlink()
                    bodies += daemon.bodies()
                    # Some while it is away.
                    before = len(backend.arrivals())
                    eventually(lambda: len(backend.arrivals()) > before + 100, what="sessions")
                    daemon = Daemon(path)
                result = load.result()
            assert result["sessions"] == sessions and not result["errors"]
            assert sluice.finish() == 0
            assert sluice.events("log_dropped") == []
        daemon.stop()
        bodies += daemon.bodies()
    assert result["rate"] >= UNDER_LOAD_RATE_MIN
    assert len(bodies) == sessions
    assert len(set(bodies)) == sessions


def test_a_syslog_daemon_that_is_away_at_the_end_keeps_nobody_waiting(backend, tmp_path):
    path = tmp_path / "dev-log"
    with Daemon(path) as daemon:
        with Sluice(front([backend], access_log=to_syslog(f"unix:{path}"))) as sluice:
            daemon.stop()
            path.unlink()
            for _ in range(5):
                with session(sluice, backend):
                    pass
            assert sluice.finish(within=8) == 0
            told = sluice.events("log_dropped", log="access")
            assert sum(entry["lines"] for entry in told) == 5
            assert told[0]["why"] == "No such file or directory"


def test_over_udp_lines_come_as_rfc_5424(backend):
    with Daemon(("127.0.0.1", 0)) as daemon:
        access = to_syslog(f"127.0.0.1:{daemon.port}", facility="user", tag="a/b")
        with Sluice(front([backend], access_log=access)) as sluice:
            with session(sluice, backend):
                pass
            line = eventually(daemon.messages, what="a line")[0]
            assert re.match(
                r"<14>1 \d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z \S+ a/b %d - - time=" % sluice.pid, line
            ), line


def test_without_a_syslog_daemon_there_is_no_start(conf_file, tmp_path):
    conf = {**simple(), "access_log": to_syslog(f"unix:{tmp_path}/none")}
    done = run("run", "-c", conf_file(conf))
    assert done.returncode == 3
    assert f"access_log: cannot reach a syslog daemon at unix:{tmp_path}/none: No such" in done.stderr


# How a line looks.


def test_a_template_makes_the_line(backend):
    template = "%{reason} ${WHERE} 100%% [%{client}] %{policy} %{trial} %{passed_over} %{sent}"
    with Sluice(
        front([backend], access_log={"file": "/dev/stdout", "format": template}),
        environment={"WHERE": "here"},
    ) as sluice:
        with session(sluice, backend) as (client, _):
            address = client.getsockname()
        line = sluice.eventually(sluice.stdout)
    assert line == f"client_closed here 100% [127.0.0.1:{address[1]}] round_robin false - 0\n"


def test_a_wrong_template_is_shown_with_a_caret(conf_file):
    conf = conf_file(
        "access_log:\n  file: stderr\n  format: '%{client} %{raeson}'\n"
        "listeners: [{name: web, address: 127.0.0.1:0, cluster: web}]\n"
        "clusters: [{name: web, backends: [127.0.0.1:9]}]\n"
    )
    done = run("check", "-c", conf)
    assert done.returncode == 1
    assert done.stderr.splitlines()[:3] == [
        f"{conf}:3:24: error: access_log.format: there is no field 'raeson'; did you mean 'reason'?",
        "    3 |   format: '%{client} %{raeson}'",
        "      |                        ^~~~~~",
    ]


def test_a_name_with_blanks_and_quotes_is_one_value(tmp_path):
    dead = f"unix:{tmp_path}/my \"app\".sock"
    access = {"file": "/dev/stdout", "format": "text"}
    with Sluice(front([dead], access_log=access, cluster={"connect_attempts": 1})) as sluice:
        outcome(sluice.address())
        line = sluice.eventually(sluice.stdout)
    values = re.findall(r'(\w+)=("(?:\\.|[^"\\])*"|\S+)(?: |\n)', line)
    assert "".join(f"{name}={value} " for name, value in values).strip() == line.strip()
    assert json.loads(dict(values)["backend"]) == dead
