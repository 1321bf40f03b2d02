"""Who may ask the admin side for what."""
import os
import re
import socket
import subprocess
import time

import pytest

from support import requires
from support.admin import TOKEN, Admin, Events, with_admin, with_token
from support.backends import Backend
from support.sluice import Sluice, front, run
from support.sockets import connect
from support.waiting import always, eventually

ROTATED = "staple-battery-horse-correct"


def allowed(admin, token):
    """To close a session, were there one of that name."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = admin.request("POST", "/api/sessions/0-1-1/close", headers=headers)
    assert answer.status in (401, 404), answer
    return answer.status == 404


def test_changes_need_the_token_when_there_is_one(tmp_path):
    drain = "/api/clusters/back/backends/b1/drain"
    with Backend("banner", "b1") as b1, Sluice(front([b1], **with_token(tmp_path))) as sluice:
        admin = Admin(sluice)
        for wrong in (None, "", TOKEN + "x", TOKEN[:-1], TOKEN.upper()):
            headers = {} if wrong is None else {"Authorization": f"Bearer {wrong}"}
            for path in (drain, "/api/drain", "/api/reload", "/api/sessions/0-1-1/close"):
                answer = admin.request("POST", path, headers=headers)
                assert answer.status == 401 and "Bearer" in answer.headers["WWW-Authenticate"]
        assert admin.backend("b1")["administrative"]["state"] == "ready", "and reading needs none"
        Admin(sluice, TOKEN).act("drain", "b1")
        assert admin.backend("b1")["administrative"]["state"] == "draining"
        assert TOKEN not in sluice.stderr()


@requires.own_namespace
def test_from_elsewhere_everything_needs_the_token(tmp_path):
    """Reached by an address of this host that is no loopback one."""
    subprocess.run(["ip", "address", "add", "10.9.8.7/32", "dev", "lo"], check=True)
    admin_settings = with_token(tmp_path)["admin"]
    with Backend("banner", "b1") as b1:
        conf = front([b1], admin={**admin_settings, "address": "10.9.8.7:0"})
        with Sluice(conf) as sluice:
            admin = Admin(sluice)
            for path in ("/api/status", "/ready", "/api/events", "/api/config", "/nothing"):
                assert admin.request("GET", path).status == 401, path
            trusted = Admin(sluice, TOKEN)
            assert trusted.get("/api/status")["state"] == "accepting"
            # With the token the stream ends that was opened with it.
            with Events(trusted) as events:
                eventually(lambda: events.events)
                (tmp_path / "token").write_text(ROTATED)
                eventually(lambda: allowed(admin, ROTATED))
                assert events.ended.wait(5)
            assert trusted.request("GET", "/api/events").status == 401


@requires.own_namespace
def test_from_elsewhere_any_name_will_do_with_the_token(tmp_path):
    """Behind NAT or a published port we are called by an address that is none of ours."""
    subprocess.run(["ip", "address", "add", "10.9.8.6/32", "dev", "lo"], check=True)
    admin_settings = with_token(tmp_path)["admin"]
    with Backend("banner", "b1") as b1:
        conf = front([b1], admin={**admin_settings, "address": "10.9.8.6:0"})
        with Sluice(conf) as sluice:
            admin, trusted = Admin(sluice), Admin(sluice, TOKEN)
            for host in ("203.0.113.7:9900", "[2001:db8::7]:9900", "sluice.example", "localhost:9900"):
                own = {"Host": host, "Origin": f"http://{host}"}
                page = admin.request("GET", "/", headers={"Host": host})
                assert page.status == 200 and page.text.startswith("<!")
                assert admin.request("GET", "/api/status", headers=own).status == 401
                assert trusted.request("GET", "/api/status", headers=own).status == 200
                foreign = {**own, "Origin": "http://10.9.8.6"}
                assert trusted.request("GET", "/api/status", headers=foreign).status == 403


def test_this_machines_own_name_is_known_if_nobody_else_can_have_it():
    name = socket.gethostname()
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        for host in (name, f"{name}:9900", name.upper()):
            answer = admin.request("GET", "/", headers={"Host": host})
            assert answer.status == (403 if "." in name else 200)
        assert admin.request("GET", "/", headers={"Host": name + "x"}).status == 403


def test_foreign_hosts_and_origins_are_refused():
    drain = "/api/clusters/back/backends/b1/drain"
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        own = f"http://{admin.address}"
        for headers in (
            {"Host": "evil.example"},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
            {"Host": "evil.example", "Origin": "http://evil.example"},
        ):
            for method, path in (("POST", drain), ("GET", "/api/status"), ("GET", "/api/events")):
                answer = admin.request(method, path, headers=headers)
                assert answer.status == 403 and answer.json["error"], headers
        assert admin.backend("b1")["administrative"]["state"] == "ready"
        answer = admin.request("POST", drain, headers={"Origin": own})
        assert answer.status == 200
        assert not any(name.startswith("Access-Control") for name in answer.headers)


def test_a_configuration_that_was_given_a_token_is_shown_to_its_owner_only(tmp_path):
    conf = front(["127.0.0.1:9"], **with_token(tmp_path))
    conf["clusters"][0]["health_check"] = {"send": "AUTH open-sesame", "interval": "1h"}
    with Sluice(conf) as sluice:
        refused = Admin(sluice).request("GET", "/api/config")
        assert refused.status == 401 and "sesame" not in refused.text
        assert Admin(sluice).request("HEAD", "/api/config").status == 401
        shown = Admin(sluice, TOKEN).request("GET", "/api/config")
        assert shown.status == 200 and "sesame" in shown.text
        assert Admin(sluice).get("/api/clusters"), "the rest needs none"


def refused_count(admin, status):
    shown = admin.request("GET", "/metrics").text
    return float(re.search(rf'^sluice_admin_refused_total{{status="{status}"}} (\S+)', shown, re.M)[1])


def test_who_is_refused_is_counted_and_told_of_once_a_minute(tmp_path):
    with Backend("banner", "b1") as b1, Sluice(front([b1], **with_token(tmp_path))) as sluice:
        admin = Admin(sluice)
        assert [refused_count(admin, status) for status in (401, 403)] == [0, 0]
        for _ in range(5):
            assert admin.request("POST", "/api/drain").status == 401
        for _ in range(3):
            assert admin.request("GET", "/", headers={"Host": "evil.example"}).status == 403
        assert [refused_count(admin, status) for status in (401, 403)] == [5, 3]
        assert Admin(sluice, source="127.0.0.2").request("POST", "/api/drain").status == 401
        eventually(lambda: len(sluice.events("admin_refused", level="warning")) == 3)
        told = [event["message"] for event in sluice.events("admin_refused")]
        line = re.compile(r"a request of 127\.0\.0\.[12]:\d+ was refused \(40[13]\): .*")
        assert all(line.fullmatch(one) for one in told), told


def test_who_changed_something_is_told_on_a_unix_socket_too(tmp_path):
    with Backend("echo", "b1") as b1:
        with Sluice(front([b1], admin={"address": f"unix:{tmp_path}/admin"})) as sluice:
            admin = Admin(sluice)
            me = f"uid {os.getuid()} (pid {os.getpid()})"
            admin.act("drain", "b1")
            message = f"back administrative of b1 set from ready to draining by {me}"
            sluice.eventually_event("admin", message=message)
            admin.act("ready", "b1")
            admin.act("trip", "b1")
            sluice.eventually_event("admin", message=f"back breaker of b1 tripped by {me}")
            admin.act("reset", "b1")
            with connect(sluice.address()):
                session = eventually(lambda: admin.sessions())[0]["id"]
                assert admin.request("POST", "/api/sessions/0-9-9/close").status == 404
                admin.post(f"/api/sessions/{session}/close")
                sluice.eventually_event("admin", message=f"session {session} closed by {me}")
                assert not any("0-9-9" in event["message"] for event in sluice.events("admin"))
            admin.post("/api/drain")
            sluice.eventually_event("admin", message=f"drain asked for by {me}")


def test_a_unix_socket_is_guarded_by_its_file(tmp_path):
    path = tmp_path / "admin.sock"
    with Backend("banner", "b1") as b1:
        with Sluice(front([b1], admin={"address": f"unix:{path}"})) as sluice:
            assert path.stat().st_mode & 0o777 == 0o660
            admin = Admin(sluice)
            assert admin.get("/api/status")["state"] == "accepting"
            assert admin.act("drain", "b1")["administrative"]["state"] == "draining"
            # As a browser comes through `ssh -L 9900:.../admin.sock`, with a page of its own or not.
            own = {"Host": "localhost:9900", "Origin": "http://localhost:9900"}
            rebound = {"Host": "evil.example:9900", "Origin": "http://evil.example:9900"}
            ready = "/api/clusters/back/backends/b1/ready"
            for headers in (rebound, {"Host": "evil.example"}, {**own, "Origin": "null"}):
                for method, target in (("POST", ready), ("GET", "/api/status"), ("GET", "/")):
                    assert admin.request(method, target, headers=headers).status == 403
            assert admin.backend("b1")["administrative"]["state"] == "draining"
            assert admin.request("POST", ready, headers=own).status == 200
            sluice.finish()
        assert not path.exists()


@pytest.mark.parametrize(
    "admin, status, words",
    [
        ({"address": "0.0.0.0:0"}, 1, "token_file"),
        ({"address": "127.0.0.1:0", "token_file": "/nowhere/token"}, 3, "/nowhere/token"),
        ({"address": "127.0.0.1:0", "token_file": "/dev/null"}, 3, "16"),
    ],
)
def test_an_admin_side_that_would_not_be_safe_does_not_start(conf_file, admin, status, words):
    done = run("run", "-c", conf_file(front(["127.0.0.1:9"], admin=admin)))
    assert done.returncode == status and words in done.stderr


def test_an_admin_address_in_use_is_an_error_at_start(conf_file):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        done = run("run", "-c", conf_file(front(["127.0.0.1:9"], admin={"address": address})))
        assert done.returncode == 3 and address in done.stderr


@requires.own_namespace
def test_a_stream_of_a_revoked_token_ends_although_nobody_asks_for_anything(tmp_path):
    subprocess.run(["ip", "address", "add", "10.9.8.5/32", "dev", "lo"], check=True)
    admin_settings = with_token(tmp_path)["admin"]
    with Backend("banner", "b1") as b1:
        with Sluice(front([b1], admin={**admin_settings, "address": "10.9.8.5:0"})) as sluice:
            with Events(Admin(sluice, TOKEN)) as events:
                eventually(lambda: events.events)
                new = tmp_path / "new"
                new.write_text(TOKEN + "\n")
                new.rename(tmp_path / "token")
                always(lambda: not events.ended.is_set(), during=1.5)
                begun = time.monotonic()
                new.write_text(ROTATED + "\n")
                new.rename(tmp_path / "token")
                assert events.ended.wait(5)
                assert time.monotonic() - begun < 2.5, "a second, and what a busy machine needs"
                sluice.eventually_event("admin", message=f"a new token is in {tmp_path / 'token'}")


# --- pages of others ------------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_without_an_origin_gets_nothing_and_changes_nothing(site):
    drain = "/api/clusters/back/backends/b1/drain"
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        foreign = {"Sec-Fetch-Site": site}
        link = {**foreign, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        for method, path, headers, status in (
            ("POST", drain, foreign, 403),
            ("POST", drain, link, 403),
            ("GET", "/api/config", {**foreign, "Sec-Fetch-Mode": "no-cors"}, 403),
            ("GET", "/api/events", {**foreign, "Sec-Fetch-Mode": "cors"}, 403),
            ("GET", "/api/status", link, 200),
            ("GET", "/api/status", {"Sec-Fetch-Site": "same-origin"}, 200),
        ):
            assert admin.request(method, path, headers=headers).status == status, (path, headers)
        assert admin.backend("b1")["administrative"]["state"] == "ready"
        admin.act("drain", "b1", headers={"Sec-Fetch-Site": "none"})


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", "[::]", "", "a@127.0.0.1"]
)
def test_a_name_that_was_made_to_point_here_is_refused(host):
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        for method, path in (("GET", "/api/status"), ("POST", "/api/reload"), ("GET", "/")):
            answer = admin.request(method, path, headers={"Host": host})
            assert answer.status == 403 and answer.json["error"]


# --- the token's file -----------------------------------------------------------------------------


def test_a_new_token_takes_effect_within_a_second_and_the_old_one_none(tmp_path):
    with Backend("banner", "b1") as b1, Sluice(front([b1], **with_token(tmp_path))) as sluice:
        admin = Admin(sluice)
        assert allowed(admin, TOKEN) and not allowed(admin, ROTATED)
        new = tmp_path / "new"
        new.write_text(ROTATED + "\n")
        begun = time.monotonic()
        new.rename(tmp_path / "token")
        eventually(lambda: allowed(admin, ROTATED))
        assert time.monotonic() - begun < 2.5, "a second, and what a busy machine needs"
        assert not allowed(admin, TOKEN)
        sluice.eventually_event("admin", message=f"a new token is in {tmp_path / 'token'}")
        assert TOKEN not in sluice.stderr() and ROTATED not in sluice.stderr()


def test_a_token_file_that_is_gone_or_empty_leaves_the_last_token_in_force(tmp_path):
    path = tmp_path / "token"
    with Backend("banner", "b1") as b1, Sluice(front([b1], **with_token(tmp_path))) as sluice:
        admin = Admin(sluice)
        path.unlink()
        eventually(lambda: allowed(admin, TOKEN) and sluice.events("admin", level="warning"))
        path.write_text("")
        always(lambda: allowed(admin, TOKEN) and not allowed(admin, ""), during=2.5)
        path.unlink()
        os.mkfifo(path)
        always(lambda: allowed(admin, TOKEN), during=1.5)
        assert len(sluice.events("admin", level="warning")) == 1, "said once"
        path.unlink()
        path.write_text(ROTATED)
        eventually(lambda: allowed(admin, ROTATED))
        assert TOKEN not in sluice.stderr() and ROTATED not in sluice.stderr()
