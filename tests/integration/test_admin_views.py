"""The admin API of the real binary: what it tells is so, and documented."""
from support.admin import Admin, with_admin
from support.backends import Backend, Refusing, backends
from support.documented import API, documented, violations
from support.sluice import Sluice, run
from support.sockets import connect
from support.waiting import eventually


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
                if "get" in API["paths"][path] and path not in ("/", "/api/events", "/metrics"):
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
            tried += [close, "/api/reload", "/api/drain", "/api/events", "/metrics", "/"]
            assert sorted(tried) == sorted(API["paths"])
            held.close()
            assert sluice.wait(10) == 0


def test_what_is_refused_anywhere_is_documented_everywhere():
    with Backend("banner", "b1") as b1, Sluice(with_admin([b1])) as sluice:
        admin = Admin(sluice)
        for path, methods in API["paths"].items():
            target = path.format(cluster="back", backend="b1", session="0-1-1")
            (method,) = methods
            for status, asked, with_that, headers in (
                (400, method, target + "?%", {}),
                (403, method, target, {"Host": "evil.example"}),
                (405, "PUT", target, {}),
                (411, method, target, {"Transfer-Encoding": "chunked"}),
                (413, method, target, {"Content-Length": "65537"}),
                (414, method, target + "?" + "a" * 3000, {}),
                (431, method, target, {"X": "x" * 17000}),
            ):
                answer = admin.request(asked, with_that, headers=headers)
                assert answer.status == status, (path, answer)
                assert documented(method, path, answer) == []


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
