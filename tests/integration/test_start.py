"""Starting: exit statuses, the one line on stderr when it cannot, what the command line takes."""
import json
import os
import signal
import socket
import stat
import subprocess

import pytest

from support import kernel, requires
from support.backends import Backend
from support.processes import end, spawn
from support.sluice import EXECUTABLE, Sluice, front, run, simple
from support.sockets import greeting, listen, session
from support.waiting import eventually

INVALID, USAGE, CANNOT_START = 1, 2, 3


def assert_cannot_start(done, *words):
    assert done.returncode == CANNOT_START, done.stderr
    complaints = [line for line in done.stderr.splitlines() if any(word in line for word in words)]
    assert len(complaints) == 1, f"one clear line about {words}:\n{done.stderr}"
    assert done.stdout == ""


# An address that is taken.


@pytest.mark.parametrize("reuse_port", [0, 1])
def test_an_address_another_program_listens_on_is_an_error(conf_file, reuse_port):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, reuse_port)
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        done = run("run", "-c", conf_file(simple(address)))
        assert_cannot_start(done, address)
        assert "in use" in done.stderr.lower()


def test_an_address_another_sluice_listens_on_is_an_error_and_the_other_goes_on(conf_file):
    with Backend("banner") as backend, Sluice(front([backend])) as first:
        host, port = first.address()
        done = run("run", "-c", conf_file(simple(f"{host}:{port}")))
        assert_cannot_start(done, f"{host}:{port}")
        for _ in range(50):
            assert greeting(first.address()) == "b1"


def test_a_wildcard_address_that_overlaps_a_taken_one_is_an_error(conf_file):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"0.0.0.0:{other.getsockname()[1]}"
        assert_cannot_start(run("run", "-c", conf_file(simple(address))), address)


def test_an_address_of_another_host_is_an_error(conf_file):
    assert_cannot_start(run("run", "-c", conf_file(simple("192.0.2.1:7777"))), "192.0.2.1:7777")


def test_one_bad_listener_of_several_stops_the_start_and_leaves_nothing_behind(conf_file):
    conf = simple("127.0.0.1:7711")
    conf["listeners"].append({"name": "other", "address": "192.0.2.1:7777", "cluster": "web"})
    assert_cannot_start(run("run", "-c", conf_file(conf)), "192.0.2.1:7777")
    assert kernel.listening_sockets(7711) == []


@requires.root
def test_a_privileged_port_is_an_error_for_an_ordinary_user(tmp_path):
    # In a directory that nobody may enter, which the test's own is not.
    tmp = f"/tmp/sluice-privileged-{os.getpid()}.yaml"
    with open(tmp, "w") as file:
        json.dump(simple("127.0.0.1:81"), file)
    os.chmod(tmp, 0o644)
    try:
        done = subprocess.run(
            [
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                EXECUTABLE,
                "run",
                "-c",
                tmp,
            ],
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert_cannot_start(done, "127.0.0.1:81")
        assert "ermission" in done.stderr or "rivileged" in done.stderr
    finally:
        os.unlink(tmp)


@pytest.mark.parametrize("log", ["log", "access_log"])
def test_a_log_file_that_cannot_be_opened_is_an_error(conf_file, log):
    conf = {**simple(), log: {"file": "/proc/no/such/file"}}
    assert_cannot_start(run("run", "-c", conf_file(conf)), "/proc/no/such/file")


@pytest.mark.parametrize("nofile", [8, 16])
def test_too_few_descriptors_are_an_error(conf_file, nofile):
    process = spawn(
        [EXECUTABLE, "run", "-c", str(conf_file(simple()))],
        nofile=nofile,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output, errors = process.communicate(timeout=10)
    finally:
        end(process)
    assert process.returncode in (CANNOT_START, 127), errors
    assert len(errors.strip().splitlines()) == 1, errors


# Unix sockets, IPv6, systemd.


def test_a_stale_unix_socket_is_replaced_and_a_live_one_is_in_use(tmp_path, conf_file):
    path = tmp_path / "front.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    with (
        Backend("banner") as backend,
        Sluice(
            front([backend], listener={"address": f"unix:{path}", "unix": {"mode": "0600"}})
        ) as sluice,
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert first_words(str(path)) == b"b1\n"
        done = run("run", "-c", conf_file(simple(f"unix:{path}")))
        assert_cannot_start(done, str(path))
        assert first_words(str(path)) == b"b1\n", "the live one is untouched"
        assert sluice.eventually_session()["listener"] == "front"


def first_words(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(path)
        return client.recv(64)


def test_abstract_unix_sockets_work_on_both_sides(tmp_path):
    with (
        Backend("echo", addresses=[f"unix:{tmp_path}/backend.sock"]) as backend,
        Sluice(front([backend], listener={"address": "unix:@sluice-test-front"})) as sluice,
    ):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect("\0sluice-test-front")
            client.sendall(b"through two unix sockets")
            assert client.recv(64) == b"through two unix sockets"
        assert sluice.eventually_session(reason="client_closed")


def test_ipv6_on_both_sides():
    with (
        Backend("banner", addresses=["[::1]:0"]) as backend,
        Sluice(front([backend], listener={"address": ["[::1]:0"]})) as sluice,
    ):
        assert greeting(sluice.address()) == "b1"
        assert sluice.eventually_session()["client"].startswith("[::1]:")


@requires.localhost
def test_names_are_resolved_and_one_that_cannot_be_does_not_stop_the_start():
    with (
        Backend("banner") as backend,
        Sluice(front([f"localhost:{backend.port}", "no-such-host.invalid:80"])) as sluice,
    ):
        sluice.eventually(
            lambda: greeting(sluice.address()) == "b1", what="the name's address serves"
        )
        assert sluice.eventually_session()["backend"].startswith("localhost")


def test_the_source_address_is_where_connects_come_from():
    with (
        listen() as backend,
        Sluice(front([backend], cluster={"source_address": "127.0.0.9"})) as sluice,
        session(sluice, backend) as (_, server),
    ):
        assert server.getpeername()[0] == "127.0.0.9"


def test_a_listener_may_have_several_addresses():
    addresses = ["127.0.0.1:7713", "127.0.0.2:7714", "[::1]:7713"]
    with Backend("banner") as backend, Sluice(front([backend], listener={"address": addresses})):
        for address in [("127.0.0.1", 7713), ("127.0.0.2", 7714), ("::1", 7713)]:
            assert greeting(address) == "b1"


def test_a_backlog_beyond_the_kernel_s_is_a_warning(conf_file):
    conf = simple()
    conf["listeners"][0]["backlog"] = 65_000
    with Sluice(conf) as sluice:
        assert any(
            "backlog" in entry["message"] and entry["level"] == "warning" for entry in sluice.log()
        )


def test_threads_are_called_by_what_they_do(tmp_path):
    conf = simple()
    conf |= {"workers": 2, "state_file": str(tmp_path / "state")}
    conf["access_log"] = {"file": str(tmp_path / "access.log")}
    with Sluice(conf) as sluice:
        names = {"sluice", "log", "access log", "state file", "worker 0", "worker 1"}
        eventually(lambda: set(kernel.thread_names(sluice.pid)) == names)


def test_systemd_is_told_ready_watchdog_and_stopping(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with Sluice(front([]), environment=environment) as sluice:
            told = []

            def heard(word):
                told.append(manager.recv(4096).decode())
                return any(word in message for message in told)

            eventually(lambda: heard("READY=1"), what="READY=1")
            eventually(lambda: heard("WATCHDOG=1"), what="WATCHDOG=1")
            sluice.signal(signal.SIGTERM)
            eventually(lambda: heard("STOPPING=1"), what="STOPPING=1")
            assert sluice.wait(within=5) == 0


# Standard descriptors.


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_descriptors_are_no_reason_to_die(conf_file, tmp_path, closed):
    with Backend("banner") as backend:
        address = str(tmp_path / "socket")
        conf = front([backend], listener={"address": f"unix:{address}"})
        path = conf_file({**conf, "access_log": {"file": "stdout"}})
        process = spawn(
            [EXECUTABLE, "run", "-c", path],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            closed=closed,
        )
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                # The file is there a moment before anybody listens.
                eventually(lambda: client.connect_ex(address) == 0, what="sluice listens")
                assert client.recv(16) == b"b1\n"
            for fd in closed:
                assert os.readlink(f"/proc/{process.pid}/fd/{fd}") == "/dev/null"
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            end(process)


@pytest.mark.parametrize("arguments", [["check", "-c", "CONF"], ["--help"], ["--version"]])
def test_output_that_cannot_be_written_is_an_error(conf_file, arguments):
    words = [conf_file(simple()) if word == "CONF" else word for word in arguments]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [EXECUTABLE, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20
        )
    assert done.returncode == CANNOT_START
    assert "cannot write to stdout: No space left on device" in done.stderr
