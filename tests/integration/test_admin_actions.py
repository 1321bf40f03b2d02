"""The admin API of the real binary: what it is told happens."""
import signal

import pytest

from support.admin import Admin, with_admin
from support.backends import Backend, backends
from support.documented import API
from support.sluice import Sluice
from support.sockets import REFUSED, connect, greeting, outcome
from support.waiting import eventually


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
