"""`sluice demo`: real backends, real connections, a breaker told line by line."""
import json
import re
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from support import requires
from support.backends import Backend
from support.processes import end, spawn
from support.sluice import EXECUTABLE, Sluice, run
from support.sockets import greeting


def test_the_demo_runs_for_the_time_it_was_given_and_exits_zero():
    begun = time.monotonic()
    done = run("demo", "--seconds", 6)
    took = time.monotonic() - begun
    assert done.returncode == 0, done.stderr
    assert 5 <= took < 12, f"{took:.1f} s"
    told = done.stdout.lower()
    print(done.stdout)
    assert len(done.stdout.splitlines()) >= 5
    assert (
        re.search(r"\bopen\b", told)
        and re.search(r"half.open", told)
        and re.search(r"\bclosed\b", told)
    )


def test_the_demo_prints_as_it_goes():
    """Line by line, not all at its end."""
    process = spawn(
        [EXECUTABLE, "demo", "--seconds", "20"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        begun = time.monotonic()
        assert process.stdout.readline()
        assert time.monotonic() - begun < 5
    finally:
        end(process)


def test_the_demo_has_the_dashboard_and_says_where():
    process = spawn(
        [EXECUTABLE, "demo", "--seconds", "20"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        said = (line.decode() for line in process.stdout)
        url = next(match[0] for line in said if (match := re.search(r"http://127\.0\.0\.1:\d+/", line)))
        with urllib.request.urlopen(url, timeout=5) as page:
            assert b"<title>Sluice</title>" in page.read()
        with urllib.request.urlopen(url + "api/clusters", timeout=5) as answer:
            (cluster,) = json.load(answer)["clusters"]
        assert [backend["name"] for backend in cluster["backends"]] == ["anna", "bert", "cleo"]
    finally:
        end(process)


@pytest.mark.parametrize("seconds", ["soon", "-1"])
def test_a_demo_of_no_time_is_bad_usage(seconds):
    assert run("demo", "--seconds", seconds).returncode == 2


@requires.own_namespace
def test_the_demo_s_file_runs_as_it_is():
    with (
        Backend("banner", "anna", ["127.0.0.1:9001"]),
        Backend("banner", "bert", ["127.0.0.1:9002"]),
        Backend("banner", "cleo", ["127.0.0.1:9003"]),
        Sluice(Path(__file__).parents[2] / "conf" / "demo.yaml") as sluice,
    ):
        served = [greeting(sluice.address("demo")) for _ in range(12)]
        assert set(served) == {"anna", "bert", "cleo"}
