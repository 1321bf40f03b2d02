"""Programs that know nothing of Sluice: Redis and nginx behind it, their tools in front."""
import re
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from support import requires
from support.backends import Backend
from support.processes import end, spawn
from support.sluice import Sluice, front
from support.sockets import connect, receive
from support.waiting import eventually

KEYS = 100_000
KEYS_PER_READ = 1000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Redis:
    name = "redis"

    def __init__(self, directory, port=None):
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._arguments = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(directory),
        ]
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def start(self):
        self.process = spawn(self._arguments, stdout=subprocess.DEVNULL)
        eventually(lambda: answers(self.port), within=10, what="redis answers")

    def kill(self):
        self.process.kill()
        self.process.wait()


def command(*words):
    """A Redis command as it goes over the wire."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


def nginx_configuration(directory, port):
    return f"""
        worker_processes 1;
        daemon off;
        master_process off;
        pid {directory}/pid;
        error_log {directory}/error.log;
        events {{ worker_connections 1024; }}
        http {{
            access_log off;
            client_body_temp_path {directory}/body;
            proxy_temp_path {directory}/proxy;
            fastcgi_temp_path {directory}/fastcgi;
            uwsgi_temp_path {directory}/uwsgi;
            scgi_temp_path {directory}/scgi;
            keepalive_requests 1000000;
            server {{ listen 127.0.0.1:{port}; root {directory}/www; }}
        }}"""


@pytest.fixture
def nginx(tmp_path):
    port = free_port()
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "small").write_bytes(b"x" * 1024)
    (tmp_path / "www" / "large").write_bytes(bytes(range(256)) * 4096)
    (tmp_path / "conf").write_text(nginx_configuration(tmp_path, port))
    process = spawn(["nginx", "-c", str(tmp_path / "conf")], stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: answers(port), within=10, what="nginx answers")
        yield f"127.0.0.1:{port}"
    finally:
        end(process)


@requires.program("redis-server")
@requires.program("redis-benchmark")
@pytest.mark.parametrize("pipeline", [1, 16])
def test_redis_benchmark_runs_without_an_error(tmp_path, pipeline):
    with Redis(tmp_path) as redis, Sluice(front([redis])) as sluice:
        host, port = sluice.address()
        done = subprocess.run(
            [
                "redis-benchmark",
                "-h",
                host,
                "-p",
                str(port),
                "-n",
                "20000",
                "-c",
                "50",
                "-q",
                "-P",
                str(pipeline),
                "-t",
                "ping,set,get,lpush,lpop,mset",
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )
        print(done.stdout)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("requests per second") >= 7
        assert "rror" not in done.stdout + done.stderr.replace("CONFIG", "")
        sluice.eventually(lambda: sluice.sessions(), what="sessions end")
        assert {(entry["reason"], entry["attempts"]) for entry in sluice.sessions()} == {
            ("client_closed", 1)
        }


@requires.program("redis-server")
@requires.program("redis-cli")
def test_a_bulk_load_into_redis_reads_back_the_same(tmp_path):
    def value(number):
        return b"value %d " % number + b"v" * (number % 97)

    with Redis(tmp_path) as redis, Sluice(front([redis])) as sluice:
        host, port = sluice.address()
        load = b"".join(
            command(b"SET", b"key:%d" % number, value(number)) for number in range(KEYS)
        )
        done = subprocess.run(
            ["redis-cli", "-h", host, "-p", str(port), "--pipe"],
            input=load,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0
        assert b"errors: 0, replies: %d" % KEYS in done.stdout, done.stdout
        with connect(sluice.address()) as client:
            for first in range(0, KEYS, KEYS_PER_READ):
                numbers = range(first, first + KEYS_PER_READ)
                client.sendall(command(b"MGET", *(b"key:%d" % number for number in numbers)))
                # A reply of strings is spelled like a command of the same words.
                expected = command(*(value(number) for number in numbers))
                assert receive(client, len(expected)) == expected


@requires.program("nginx")
@requires.program("wrk")
@pytest.mark.parametrize("page", ["small", "large"])
def test_wrk_against_nginx_sees_no_error(nginx, page):
    with Sluice(front([nginx])) as sluice:
        host, port = sluice.address()
        url = f"http://{host}:{port}/{page}"
        # Its 2 s for a reply are a matter of how busy the machine is, not of errors.
        done = subprocess.run(
            ["wrk", "-t2", "-c64", "-d2s", "--timeout", "20s", url],
            capture_output=True,
            text=True,
            timeout=60,
        )
        print(done.stdout)
        assert done.returncode == 0, done.stderr
        assert "Socket errors" not in done.stdout and "Non-2xx" not in done.stdout
        assert int(re.search(r"(\d+) requests in", done.stdout).group(1)) > 100
        with (
            urllib.request.urlopen(f"http://{nginx}/{page}") as direct,
            urllib.request.urlopen(url) as through,
        ):
            assert through.read() == direct.read()


@requires.program("redis-server")
def test_a_lone_redis_back_after_two_seconds_serves_within_five(tmp_path):
    """With the defaults of everything: five seconds between probes, thirty of an open breaker."""
    with Redis(tmp_path) as redis, Sluice(front([redis], cluster={"health_check": {}})) as sluice:
        assert pings(sluice)
        redis.kill()
        killed = time.monotonic()
        eventually(
            lambda: not pings(sluice) and time.monotonic() - killed > 2,
            what="two seconds without Redis",
        )
        assert sluice.events("breaker", to="open"), "the clients opened the breaker meanwhile"
        redis.start()
        returned = time.monotonic()
        sluice.eventually(lambda: pings(sluice), within=5, what="Redis serves again")
        print(f"back in service {time.monotonic() - returned:.2f} s after its return")


def pings(sluice):
    try:
        with connect(sluice.address(), within=2) as client:
            client.sendall(b"PING\r\n")
            return client.recv(64) == b"+PONG\r\n"
    except OSError:
        return False


def test_a_server_that_speaks_first_is_heard_at_once():
    with Backend("banner", name="first") as backend, Sluice(front([backend])) as sluice:
        with connect(sluice.address(), within=2) as client:
            assert client.recv(64) == b"first\n"


@requires.program("redis-server")
def test_the_example_for_redis_fails_over_to_the_standby_and_back(tmp_path):
    example = Path(__file__).parents[2] / "conf" / "redis.yaml"
    with Redis(tmp_path) as primary, Redis(tmp_path) as standby:
        environment = {
            "REDIS_PRIMARY_PORT": str(primary.port),
            "REDIS_STANDBY_PORT": str(standby.port),
        }
        with Sluice(
            example, "--set", "listeners.redis.address=127.0.0.1:0", environment=environment
        ) as sluice:
            assert served_by(sluice) == primary.port
            primary.kill()
            assert served_by(sluice) == standby.port
            primary.start()
            sluice.eventually(
                lambda: served_by(sluice) == primary.port,
                within=10,
                what="the primary serves again",
            )


def served_by(sluice):
    """The port of the Redis that answers."""
    with connect(sluice.address("redis")) as client:
        client.sendall(command(b"CONFIG", b"GET", b"port"))
        return int(client.recv(256).split(b"\r\n")[4])


PROBES = {"interval": "100ms", "unhealthy_interval": "100ms", "timeout": "2s"}


@requires.program("nginx")
def test_nginx_is_probed_by_http(nginx, tmp_path):
    """A page that is not there, one that is, goes and comes again."""

    def probing(path):
        health = {**PROBES, "type": "http", "path": path}
        return front([nginx], cluster={"health_check": health})

    with Sluice(probing("/missing")) as sluice:
        sluice.eventually_event("health", why="first probe failed: mismatch")
    page = tmp_path / "www" / "small"
    with Sluice(probing("/small")) as sluice:
        sluice.eventually_event("health", why="first probe passed")
        page.unlink()
        sluice.eventually_event("health", why="3 probes in a row failed, last: mismatch")
        page.write_bytes(b"again")
        sluice.eventually_event("health", why="2 probes in a row passed")


@requires.program("redis-server")
def test_redis_is_probed_by_a_dialogue(tmp_path):
    """It answers PING all the time; the second question is whether it is a primary."""
    steps = [
        {"send": "PING\r\n"},
        {"expect": "+PONG"},
        {"send": "ROLE\r\n"},
        {"expect": "master"},
    ]
    with Redis(tmp_path) as redis:
        health = {**PROBES, "steps": steps}
        with Sluice(front([redis], cluster={"health_check": health})) as sluice:
            sluice.eventually_event("health", why="first probe passed")
            with socket.create_connection(("127.0.0.1", redis.port), timeout=5) as operator:
                operator.sendall(command(b"REPLICAOF", b"127.0.0.1", b"1"))
                assert receive(operator, 5) == b"+OK\r\n"
                # It says "slave", and nothing more: that the rest is missing shows in the timeout.
                sluice.eventually_event(
                    "health", within=20, why="3 probes in a row failed, last: mismatch"
                )
                operator.sendall(command(b"REPLICAOF", b"NO", b"ONE"))
                assert receive(operator, 5) == b"+OK\r\n"
            sluice.eventually_event("health", within=20, why="2 probes in a row passed")
            redis.kill()
            sluice.eventually_event("health", why="3 probes in a row failed, last: refused")
