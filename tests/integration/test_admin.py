"""The admin API of the real binary: what it tells is so, what it is told happens, and whoever attacks
it disturbs nobody."""
import json
import re
import resource
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from support import requires
from support.admin import Admin, Events
from support.backends import Backend, Refusing, backends
from support.load import Load
from support.sluice import Sluice, front, run
from support.sockets import connect, greeting, outcome
from support.waiting import always, eventually

PROJECT = Path(__file__).parents[2]
API = json.loads((PROJECT / "docs" / "openapi.json").read_text())
TOKEN = "correct-horse-battery-staple"
ADMIN = {"admin": {"address": "127.0.0.1:0"}}
REFUSED = (b"", "reset")


def with_admin(servers, **settings):
    return front(servers, **{**ADMIN, **settings})


# --- docs/openapi.json ----------------------------------------------------------------------------

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def is_of_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def violations(value, schema, path="$"):
    """Where `value` is not as its schema has it: every field documented, there, and of its type."""
    if "$ref" in schema:
        return violations(value, API["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], path)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(is_of_type(value, name) for name in types):
        return [f"{path}: {value!r} is no {types}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: {value!r} is none of {schema['enum']}")
    if schema.get("format") == "date-time" and value is not None and not TIME.fullmatch(value):
        found.append(f"{path}: {value!r} is no time")
    if "minimum" in schema and isinstance(value, (int, float)) and value < schema["minimum"]:
        found.append(f"{path}: {value} < {schema['minimum']}")
    if isinstance(value, dict):
        found += object_violations(value, schema, path)
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += violations(item, schema["items"], f"{path}[{number}]")
    return found


def object_violations(value, schema, path):
    properties = schema.get("properties", {})
    found = [f"{path}.{name} is missing" for name in schema.get("required", []) if name not in value]
    names = schema.get("propertyNames", {}).get("enum")
    for name, member in value.items():
        others = schema.get("additionalProperties", True)
        if name in properties:
            found += violations(member, properties[name], f"{path}.{name}")
        elif others is False or (names is not None and name not in names):
            found.append(f"{path}.{name} is not documented")
        elif isinstance(others, dict):
            found += violations(member, others, f"{path}.{name}")
    return found


def documented(method, path, answer):
    """What the API's page says against this answer."""
    responses = API["paths"][path][method.lower()]["responses"]
    assert str(answer.status) in responses, f"{method} {path}: {answer.status} is not documented"
    content = responses[str(answer.status)]["content"]["application/json"]
    return violations(answer.json, content["schema"])


def test_the_validator_sees_what_is_wrong():
    schema = {"$ref": "#/components/schemas/Draining"}
    assert violations({"state": "draining"}, schema) == []
    for wrong in ({}, {"state": 1}, {"state": "x"}, {"state": "draining", "more": 1}, [], None):
        assert violations(wrong, schema), wrong
    assert violations(True, {"type": "integer"}) and violations(-1, {"type": "integer", "minimum": 0})


def test_every_answer_is_as_documented_and_every_documented_path_is_there():
    with Backend("banner", "b1") as b1, Refusing("dead") as dead:
        cluster = {"circuit_breaker": {"failure_threshold": 1}, "health_check": {"interval": "1h"}}
        with Sluice(with_admin([b1, dead], cluster=cluster)) as sluice:
            admin = Admin(sluice)
            sluice.eventually_event("health", to="healthy")
            held = connect(sluice.address())
            assert held.recv(64)
            eventually(admin.sessions)
            act = "/api/clusters/back/backends/{}/{}"
            tried = []
            for path in API["paths"]:
                if "get" in API["paths"][path] and path != "/api/events":
                    answer = admin.request("GET", path)
                    assert answer.status == 200, path
                    assert documented("GET", path, answer) == []
                    tried.append(path)
            for action in ("trip", "reset", "drain", "maintenance", "ready", "weight?value=3"):
                path = "/api/clusters/{cluster}/backends/{backend}/" + action.partition("?")[0]
                for name, status in (("b1", 200), ("nobody", 404)):
                    answer = admin.request("POST", act.format(name, action))
                    assert answer.status == status, answer
                    assert documented("POST", path, answer) == []
                tried.append(path)
            refused = admin.request("POST", act.format("b1", "weight?value=1001"))
            assert refused.status == 400 and documented("POST", path, refused) == []
            session = admin.sessions()[0]["id"]
            close = "/api/sessions/{session}/close"
            for status in (200, 404):
                answer = admin.request("POST", close.format(session=session))
                assert answer.status == status and documented("POST", close, answer) == []
            reload_answer = admin.request("POST", "/api/reload")
            assert reload_answer.status == 501
            assert documented("POST", "/api/reload", reload_answer) == []
            drained = admin.request("POST", "/api/drain")
            assert drained.status == 202 and documented("POST", "/api/drain", drained) == []
            tried += [close, "/api/reload", "/api/drain", "/api/events"]
            assert sorted(tried) == sorted(API["paths"])
            held.close()
            assert sluice.wait(10) == 0


# --- what it tells --------------------------------------------------------------------------------


def test_ready_and_live_tell_of_the_process():
    with Backend("echo") as server:
        with Sluice(with_admin([server], drain_timeout="20s")) as sluice:
            admin = Admin(sluice)
            assert admin.request("GET", "/live").status == 200
            ready = admin.request("GET", "/ready")
            assert (ready.status, ready.json["state"]) == (200, "accepting")
            with connect(sluice.address()) as held:
                held.sendall(b"x")
                assert held.recv(1) == b"x"
                admin.post("/api/drain")
                eventually(lambda: admin.request("GET", "/ready").status == 503)
                unready = admin.request("GET", "/ready")
                assert unready.json["ready"] is False and "draining" in unready.json["error"]
                assert documented("GET", "/ready", unready) == []
                assert admin.request("GET", "/live").status == 200
                held.sendall(b"y")
                assert held.recv(1) == b"y", "the session goes on"
            assert sluice.wait(10) == 0
            assert sluice.sessions(reason="client_closed")


def test_ready_is_503_before_it_serves():
    """Names are resolved before it serves; that one takes its time to fail."""
    conf = with_admin(["nobody.invalid:80"])
    with Backend("echo") as server:
        conf["clusters"][0]["backends"].append(server.address)
        with Sluice(conf, wait=False) as sluice:
            admin = Admin(sluice)
            states = set()

            def is_accepting():
                answer = admin.request("GET", "/ready")
                states.add((answer.status, answer.json["state"]))
                return answer.status == 200

            eventually(is_accepting, within=10)
            assert states <= {(503, "starting"), (200, "accepting")}


def test_sessions_tell_where_they_went_and_why():
    with backends(2) as (b1, b2), Refusing("dead") as dead:
        cluster = {"balance": "first", "circuit_breaker": {"failure_threshold": 1}}
        with Sluice(with_admin([dead, b1, b2], cluster=cluster)) as sluice:
            admin = Admin(sluice)
            clients = []
            for _ in range(3):
                clients.append(connect(sluice.address()))
                clients[-1].sendall(b"four")
                assert clients[-1].recv(4) == b"four"
            listed = eventually(lambda: len(admin.sessions()) == 3 and admin.sessions())
            assert {one["backend"] for one in listed} == {"b1"}
            assert {one["state"] for one in listed} == {"relaying"}
            names = ["%s:%d" % client.getsockname() for client in clients]
            assert sorted(one["client"] for one in listed) == sorted(names)
            assert {(one["received"], one["sent"]) for one in listed} == {(4, 4)}
            # The first client found out about the dead one, the others were kept away by its breaker.
            told = {one["client"]: one for one in listed}
            first, last = told[names[0]], told[names[2]]
            assert first["attempts"] == 2 and first["why"]["passed_over"] == {"tried": 1}
            assert told[names[1]]["attempts"] == last["attempts"] == 1
            assert last["why"] == {"policy": "first", "trial": False, "passed_over": {"breaker": 1}}
            answer = admin.get("/api/sessions?limit=1")
            assert answer["total"] == 3 and answer["complete"] and len(answer["sessions"]) == 1
            for bad in ("0", "1001", "-1", "x", ""):
                assert admin.request("GET", f"/api/sessions?limit={bad}").status == 400
            for client in clients:
                client.close()
            eventually(lambda: admin.sessions() == [])


def test_config_is_a_configuration_that_says_the_same(conf_file):
    with Backend("echo") as server:
        cluster = {"health_check": {"send": "A$$B\r\n", "expect": {"hex": "ff"}}}
        with Sluice(with_admin([server], cluster=cluster)) as sluice:
            shown = Admin(sluice).get("/api/config")
            assert shown["clusters"][0]["connect_timeout"] == "2s", "a default"
            assert shown["clusters"][0]["health_check"]["expect"] == {"hex": "ff"}
            checked = run("check", "-c", conf_file(shown))
            assert checked.returncode == 0, checked.stderr


def test_a_listener_shows_the_port_it_got():
    with Backend("echo") as server, Sluice(with_admin([server])) as sluice:
        admin = Admin(sluice)
        listener = admin.get("/api/listeners")["listeners"][0]
        assert listener["addresses"] == ["%s:%d" % sluice.address()]
        with connect(sluice.address()):
            eventually(
                lambda: admin.get("/api/listeners")["listeners"][0]["active_connections"] == 1
            )


# --- what it is told ------------------------------------------------------------------------------


@pytest.mark.parametrize("action, state", [("drain", "draining"), ("maintenance", "maintenance")])
def test_a_drained_backend_keeps_its_sessions_and_gets_no_new_one(action, state):
    with backends(2, "echo") as (b1, b2), Sluice(with_admin([b1, b2], workers=1)) as sluice:
        admin = Admin(sluice)
        held = [connect(sluice.address()) for _ in range(4)]
        eventually(lambda: len(b1.arrivals()) == len(b2.arrivals()) == 2)
        answer = admin.act(action, "b1")
        assert answer["administrative"] == {"state": state, "configured": "ready"}
        assert answer["left_out_by"] == ["administrative"] and not answer["available"]
        for _ in range(10):
            connect(sluice.address()).close()
        eventually(lambda: len(b2.arrivals()) == 12)
        assert len(b1.arrivals()) == 2
        for client in held:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        admin.act("ready", "b1")
        for _ in range(4):
            connect(sluice.address()).close()
        eventually(lambda: len(b1.arrivals()) == 4)
        assert sluice.events("admin", level="info")


def test_a_weight_changes_the_share():
    with backends(2) as (b1, b2), Sluice(with_admin([b1, b2], workers=1)) as sluice:
        admin = Admin(sluice)
        assert admin.act("weight?value=0", "b2")["left_out_by"] == ["weight"]
        for _ in range(20):
            connect(sluice.address()).close()
        eventually(lambda: len(b1.arrivals()) == 20)
        assert b2.arrivals() == []
        assert admin.act("weight?value=3", "b2")["weight"] == 3
        for _ in range(40):
            connect(sluice.address()).close()
        eventually(lambda: len(b1.arrivals()) + len(b2.arrivals()) == 60)
        assert 29 <= len(b2.arrivals()) <= 31


def test_a_weight_changes_what_was_computed_before_too():
    """maglev looks clients up in a table that is made for the weights."""
    with backends(2) as (b1, b2):
        conf = with_admin([b1, b2], cluster={"balance": "maglev"}, workers=2)
        with Sluice(conf) as sluice:
            admin = Admin(sluice)

            def share_of_b2():
                before = len(b1.arrivals()), len(b2.arrivals())
                for number in range(1, 61):
                    source = (f"127.0.1.{number}", 0)
                    connect(sluice.address(), source_address=source).close()
                eventually(lambda: len(b1.arrivals()) + len(b2.arrivals()) == sum(before) + 60)
                return len(b2.arrivals()) - before[1]

            assert 15 <= share_of_b2() <= 45
            admin.act("weight?value=100", "b2")
            assert share_of_b2() >= 54


def test_trip_and_reset_open_and_close_the_breaker():
    with Backend("banner", "b1") as b1:
        cluster = {"circuit_breaker": {"recovery_timeout": "1m", "jitter": 0}}
        with Sluice(with_admin([b1], cluster=cluster)) as sluice:
            admin = Admin(sluice)
            assert greeting(sluice.address()) == "b1"
            breaker = admin.act("trip", "b1")["breaker"]
            assert breaker["state"] == "open" and 59_000 < breaker["retry_in_ms"] <= 60_000
            assert outcome(sluice.address()) == REFUSED
            assert sluice.eventually_session(reason="no_backend")["attempts"] == 0
            assert admin.act("trip", "b1")["breaker"]["opens"] == 1, "it is open already"
            assert admin.act("reset", "b1")["breaker"]["state"] == "closed"
            assert greeting(sluice.address()) == "b1"
            assert sluice.transitions("breaker") == [("closed", "open"), ("open", "closed")]


def test_a_breaker_that_is_off_cannot_be_tripped():
    with Backend("banner", "b1") as b1:
        with Sluice(with_admin([b1], cluster={"circuit_breaker": "off"})) as sluice:
            refused = Admin(sluice).request("POST", "/api/clusters/back/backends/b1/trip")
            assert refused.status == 409 and "off" in refused.json["error"]
            assert greeting(sluice.address()) == "b1"


def test_closing_a_session_ends_that_one_with_its_reason():
    with Backend("echo") as server, Sluice(with_admin([server])) as sluice:
        admin = Admin(sluice)
        clients = [connect(sluice.address()) for _ in range(3)]
        listed = eventually(lambda: len(admin.sessions()) == 3 and admin.sessions())
        name = "%s:%d" % clients[1].getsockname()
        chosen = next(one for one in listed if one["client"] == name)
        assert admin.post(f"/api/sessions/{chosen['id']}/close") == {
            "session": chosen["id"],
            "closed": True,
        }
        with pytest.raises(ConnectionResetError):
            clients[1].recv(1)
        ended = sluice.eventually_session(client=name)
        assert ended["reason"] == "shutdown"
        for client in (clients[0], clients[2]):
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        for nobody in (chosen["id"], "99-1-1", "x", "0-0-0"):
            assert admin.request("POST", f"/api/sessions/{nobody}/close").status == 404


def test_what_an_operator_set_outlives_a_restart(tmp_path):
    path = tmp_path / "state.json"
    with backends(2, "banner") as (b1, b2):
        conf = with_admin([b1, b2], state_file=str(path))
        with Sluice(conf) as sluice:
            admin = Admin(sluice)
            eventually(path.exists)  # what it would have written anyway
            admin.act("drain", "b1")
            admin.act("weight?value=7", "b2")
            eventually(lambda: path.exists() and '"weight":7' in path.read_text())
            sluice.signal(signal.SIGKILL)
            sluice.wait(5)
        with Sluice(conf) as sluice:
            admin = Admin(sluice)
            assert admin.backend("b1")["administrative"]["state"] == "draining"
            assert admin.backend("b2")["weight"] == 7
            assert {greeting(sluice.address()) for _ in range(4)} == {"b2"}


def test_a_get_changes_nothing():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        before = admin.backend("b1")
        for path, methods in API["paths"].items():
            if "post" not in methods:
                continue
            path = path.format(cluster="back", backend="b1", session="0-1-1")
            for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
                answer = admin.request(method, path + "?value=5")
                assert answer.status == 405 and answer.headers["Allow"] == "POST"
        assert admin.backend("b1") == before
        assert greeting(sluice.address()) == "b1"


# --- who may --------------------------------------------------------------------------------------


def with_token(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return {"admin": {"address": "127.0.0.1:0", "token_file": str(path)}}


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
            assert Admin(sluice, TOKEN).get("/api/status")["state"] == "accepting"


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


def test_a_unix_socket_is_guarded_by_its_file(tmp_path):
    path = tmp_path / "admin.sock"
    with Backend("banner", "b1") as b1:
        with Sluice(front([b1], admin={"address": f"unix:{path}"})) as sluice:
            assert path.stat().st_mode & 0o777 == 0o660
            admin = Admin(sluice)
            assert admin.get("/api/status")["state"] == "accepting"
            assert admin.act("drain", "b1")["administrative"]["state"] == "draining"
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


# --- events ---------------------------------------------------------------------------------------


def test_events_tell_every_transition_and_resume():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        with Events(admin) as events:
            assert events.content_type == "text/event-stream"
            eventually(lambda: events.events)
            assert events.events[0]["event"] == "hello"
            admin.act("trip", "b1")
            admin.act("drain", "b1")
            eventually(lambda: len(events.transitions) == 2)
            told = [(one["kind"], one["from"], one["to"]) for one in events.transitions]
            assert sorted(told) == [
                ("administrative", "ready", "draining"),
                ("breaker", "closed", "open"),
            ]
            for one in events.transitions:
                data = {name: one[name] for name in one if name not in ("id", "event")}
                assert violations(data, {"$ref": "#/components/schemas/Event"}) == []
            last_seen = events.transitions[-1]["id"]
        admin.act("ready", "b1")
        admin.act("reset", "b1")
        with Events(admin, last_seen) as events:
            eventually(lambda: len(events.transitions) == 2)
            assert {one["to"] for one in events.transitions} == {"ready", "closed"}
        # Of another process: everything is new.
        with Events(admin, "0-1") as events:
            eventually(lambda: len(events.transitions) == 4)
        assert admin.get("/api/status")["last_event_id"] == events.transitions[-1]["id"]


def test_streams_that_have_gone_are_forgotten():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        before = sluice.fd_count()
        for _ in range(3):
            streams = [Events(admin) for _ in range(40)]
            for stream in streams:
                eventually(lambda: stream.events)
            for stream in streams:
                stream.__exit__()
            eventually(lambda: sluice.fd_count() <= before + 1, within=5)


def test_there_is_a_limit_of_streams():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        streams = [Events(admin) for _ in range(64)]
        refused = admin.request("GET", "/api/events")
        assert refused.status == 503 and refused.json["error"]
        assert admin.get("/api/status")
        for stream in streams:
            stream.__exit__()


def test_a_stream_that_does_not_read_is_dropped():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.settimeout(10)
            deaf.connect(admin.host_and_port)
            deaf.sendall(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert deaf.recv(15) == b"HTTP/1.1 200 OK"
            fds, rss = sluice.fd_count(), sluice.rss_kib()
            connection = admin.connection()
            begun = time.monotonic()
            dropped = False
            while not dropped and time.monotonic() - begun < 60:
                for action in ("trip", "reset", "drain", "ready"):
                    connection.request("POST", f"/api/clusters/back/backends/b1/{action}")
                    connection.getresponse().read()
                dropped = sluice.fd_count() <= fds
            # The connection that asks is one more.
            assert dropped, "it is still there"
            assert sluice.rss_kib() < rss + 16 * 1024
            connection.close()


# --- attacks --------------------------------------------------------------------------------------


def is_cut(sock, within):
    """Whether the server has ended it by then, and when."""
    begun = time.monotonic()
    sock.settimeout(within)
    try:
        while sock.recv(65536):
            pass
    except ConnectionError:
        pass
    except socket.timeout:
        return None
    return time.monotonic() - begun


@pytest.mark.parametrize(
    "begin, drip",
    [
        (b"", b""),
        (b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-A: b\r\n"),
        (b"POST /api/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n", b"x"),
    ],
    ids=["nothing", "headers", "body"],
)
def test_slow_requests_are_cut(begin, drip):
    """However regularly the next byte comes."""
    with Backend("echo") as server, Sluice(with_admin([server])) as sluice:
        sock = Admin(sluice).raw()
        sock.sendall(begin)
        begun = time.monotonic()
        ended = False
        while not ended and time.monotonic() - begun < 20:
            readable, _, _ = select.select([sock], [], [], 0.5)
            try:
                ended = bool(readable) and sock.recv(4096) == b""
                if drip and not ended:
                    sock.sendall(drip)
            except ConnectionError:
                ended = True
        assert ended and 8 <= time.monotonic() - begun <= 13


def test_huge_and_malformed_requests_are_refused():
    with Backend("echo") as server, Sluice(with_admin([server])) as sluice:
        admin = Admin(sluice)

        def status_of(request, within=5):
            with admin.raw(within) as sock:
                try:
                    sock.sendall(request)
                    answer = sock.recv(4096)
                except ConnectionError:
                    return 0
                return int(answer.split()[1]) if answer.startswith(b"HTTP/1") else 0

        host = b"Host: 127.0.0.1\r\n"
        assert status_of(b"GET /live HTTP/1.1\r\n" + host + b"\r\n") == 200
        assert status_of(b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n" + host + b"\r\n") == 414
        many = b"".join(b"X-%d: %s\r\n" % (i, b"v" * 100) for i in range(1000))
        assert status_of(b"GET /live HTTP/1.1\r\n" + host + many + b"\r\n") in (0, 400, 413, 431)
        post = b"POST /api/reload HTTP/1.1\r\n" + host
        assert status_of(post + b"Content-Length: 10485760\r\n\r\n") == 413
        assert status_of(post + b"Content-Length: 65537\r\n\r\n") == 413
        assert status_of(post + b"Content-Length: 5\r\n\r\nhello") == 501
        for bad in (b"Content-Length: x\r\n\r\n", b"Content-Length: -1\r\n\r\n"):
            assert status_of(post + bad) in (0, 400)
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        assert status_of(post + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 160) == 0
        for bad in (b"\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                    b"GET /live HTTP/1.1\r\n\r\n", b"\0" * 100 + b"\r\n\r\n"):
            assert status_of(bad + b"\r\n", within=15) in (0, 400, 505), bad
        for target in ("/../../etc/passwd", "/api/%2e%2e/api/status", "//api/status", "/api/status/",
                       "/web/..%2f..%2fconf", "/api/clusters/back/backends/../../x/drain"):
            assert admin.request("GET", target).status in (404, 405), target
        for target in ("/%00", "/%zz", "/api/status%0a"):
            assert admin.request("GET", target).status == 400
        missing = admin.request("GET", "/nothing")
        assert missing.status == 404 and missing.json["error"]
        assert admin.get("/live") == {"live": True}


def test_idle_clients_neither_keep_others_out_nor_stay():
    with Backend("echo") as server, Sluice(with_admin([server])) as sluice:
        admin = Admin(sluice)
        before = sluice.fd_count()
        idle = [admin.raw() for _ in range(200)]
        eventually(lambda: sluice.fd_count() > before + 100)
        assert sluice.fd_count() <= before + 150, "of one address, some are let in"
        assert admin.get("/live", within=2) == {"live": True}
        eventually(lambda: sluice.fd_count() <= before, within=15, every=0.2)
        for sock in idle:
            sock.close()


def test_attacks_disturb_no_session():
    """Idle, slow, huge, malformed and countless admin clients and event streams that do not read,
    while sessions go through: none fails, and none is slow."""
    with backends(2) as (b1, b2):
        with Sluice(with_admin([b1, b2], workers=1)) as sluice:
            admin = Admin(sluice)
            quiet = Load(sluice.address(), clients=16, rate=300, sessions=900).result()
            with Load(sluice.address(), clients=16, rate=300, sessions=1800) as load:
                slow = [admin.raw() for _ in range(100)]
                for sock in slow:
                    sock.sendall(b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n")
                deaf = [admin.raw() for _ in range(30)]
                for sock in deaf:
                    sock.sendall(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                requests = 0
                while load.process.poll() is None:
                    for path in ("/api/status", "/api/clusters", "/api/sessions", "/%zz"):
                        admin.request("GET", path)
                        requests += 1
                    for action in ("trip", "reset"):
                        admin.act(action, "b1")
                        requests += 1
                    with admin.raw() as sock:
                        try:
                            sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
                            sock.sendall(b"x" * 1000000)
                        except OSError:
                            pass
                attacked = load.result()
                for sock in slow + deaf:
                    sock.close()
            print("quiet", quiet["slowest_ms"], "attacked", attacked["slowest_ms"], requests)
            assert attacked["errors"] == [] and attacked["sessions"] == 1800
            assert requests >= 20
            # One worker has its own thread; a stall of it would show in every session at once.
            assert attacked["slowest_ms"] < quiet["slowest_ms"] + 250


def test_out_of_descriptors_it_neither_spins_nor_stays_away():
    """The limit is lowered from outside, as if others had taken them all."""
    with Backend("echo") as server, Sluice(with_admin([server])) as sluice:
        admin = Admin(sluice)
        assert admin.get("/live")
        before = resource.prlimit(sluice.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(sluice.pid, resource.RLIMIT_NOFILE, (sluice.fd_count(), before[1]))
        waiting = [admin.raw() for _ in range(5)]
        told = sluice.eventually_event("accept_paused", listener="admin")
        assert "open files" in told["why"]
        assert sluice.cpu_share(1.0) < 0.3
        waiting[-1].sendall(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert select.select([waiting[-1]], [], [], 0.3)[0] == []
        resource.prlimit(sluice.pid, resource.RLIMIT_NOFILE, before)
        assert waiting[-1].recv(4096).startswith(b"HTTP/1.1 200")
        for sock in waiting:
            sock.close()


def test_with_few_descriptors_there_is_an_admin_side_still():
    with Backend("echo") as server:
        with Sluice(with_admin([server], max_connections=4), nofile=64) as sluice:
            admin = Admin(sluice)
            clients = [connect(sluice.address()) for _ in range(4)]
            idle = [admin.raw() for _ in range(20)]
            for client in clients:
                client.sendall(b"x")
                assert client.recv(1) == b"x"
            assert admin.get("/api/status")["connections"]["active"] == 4
            assert sluice.events("accept_paused", listener="admin") == []
            for sock in idle + clients:
                sock.close()
