"""What the admin side takes for a request, and how it refuses what is none."""
import time

import pytest

from support.admin import Admin, parse, with_admin
from support.backends import Backend
from support.sluice import Sluice

HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET /live HTTP/1.1\r\n"
POST = b"POST /api/sessions/0-1-1/close HTTP/1.1\r\n" + HOST  # which is not there
CLOSE = b"Connection: close\r\n\r\n"

RULES = {
    "a long target": (414, b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n" + HOST + CLOSE),
    "a long head": (431, GET + HOST + b"X: " + b"v" * 17000 + b"\r\n" + CLOSE),
    "many headers": (431, GET + HOST + b"X: v\r\n" * 100 + CLOSE),
    "no host": (400, GET + CLOSE),
    "two hosts": (400, GET + HOST + HOST + CLOSE),
    "a folded host": (400, GET + b"Host: 127.0.0.1\r\n .evil.example\r\n" + CLOSE),
    "a blank before the colon": (400, GET + b"Host : 127.0.0.1\r\n" + CLOSE),
    "two origins": (400, POST + b"Origin: http://127.0.0.1\r\norigin: null\r\n" + CLOSE),
    "two tokens": (400, POST + b"Authorization: Bearer a\r\n" * 2 + CLOSE),
    "a space in the target": (400, b"GET /live /x HTTP/1.1\r\n" + HOST + CLOSE),
    "a control character": (400, GET + HOST + b"X: a\x01b\r\n" + CLOSE),
    "a body in chunks": (
        411,
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
    "an odd encoding": (411, POST + b"Transfer-Encoding: identity\r\n\r\n"),
    "a length and chunks": (
        411,
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "two lengths": (400, POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n"),
    "a large body": (413, POST + b"Content-Length: 10485760\r\n\r\n"),
    "a body that is a byte too large": (413, POST + b"Content-Length: 65537\r\n\r\n"),
    "a bad escape": (400, b"GET /%zz HTTP/1.1\r\n" + HOST + CLOSE),
    "a NUL in disguise": (400, b"GET /live%00 HTTP/1.1\r\n" + HOST + CLOSE),
    "a newline in disguise": (400, b"GET /live%0a HTTP/1.1\r\n" + HOST + CLOSE),
    "no path": (400, b"GET live HTTP/1.1\r\n" + HOST + CLOSE),
    "a star": (400, b"OPTIONS * HTTP/1.1\r\n" + HOST + CLOSE),
    "a tunnel": (400, b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + HOST + CLOSE),
    "another server": (403, b"GET http://evil.example/live HTTP/1.1\r\n" + HOST + CLOSE),
    "a method that nobody knows": (405, b"BREW /live HTTP/1.1\r\n" + HOST + CLOSE),
    "a trace": (405, b"TRACE /live HTTP/1.1\r\n" + HOST + CLOSE),
}


@pytest.fixture(scope="module")
def admin():
    with Backend("echo") as server, Sluice(with_admin([server])) as sluice:
        yield Admin(sluice)


@pytest.mark.parametrize("what", RULES)
def test_a_request_that_breaks_a_rule_is_refused_in_json(admin, what):
    status, request = RULES[what]
    answer = parse(admin.say(request))
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["error"], "and it says what is wrong"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "request_text",
    [
        GET + HOST + CLOSE,
        b"GET /live HTTP/1.0\r\n\r\n",
        b"\r\n" + GET + HOST + CLOSE,
        b"HEAD /live HTTP/1.1\r\n" + HOST + CLOSE,
        b"GET http://127.0.0.1/live HTTP/1.1\r\nHost: ignored\r\n" + CLOSE,
        b"GET /live?a=b HTTP/1.1\r\nhOST: localhost\r\n" + CLOSE,
        GET.replace(b"\r\n", b"\n") + b"Host: 127.0.0.1\nConnection: close\n\n",
    ],
    ids=["plain", "1.0", "an empty line before", "head", "absolute", "other case", "bare newlines"],
)
def test_a_request_that_is_merely_unusual_is_answered(admin, request_text):
    assert parse(admin.say(request_text)).status == 200


@pytest.mark.parametrize(
    "status, request_text",
    [
        (505, b"GET /live HTTP/0.9\r\n" + HOST + CLOSE),
        (505, b"GET /live HTTP/2.0\r\n" + HOST + CLOSE),
        (400, b"GET /live\r\n\r\n"),
        (400, b"GET / HTTP/x\r\n\r\n"),
        (400, GET + b"no colon\r\n" + CLOSE),
        (400, POST + b"Content-Length: x\r\n\r\n"),
        (400, POST + b"Content-Length: -1\r\n\r\n"),
        (413, POST + b"Content-Length: 99999999999999999999999\r\n\r\n"),
        (414, b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\n" + HOST + CLOSE),
        (431, GET + HOST + b"X: " + b"v" * 40000 + b"\r\n" + CLOSE),
        (None, b"GET\r\n\r\n"),
        (None, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n"),
    ],
)
def test_what_is_hardly_http_is_refused_by_the_library_and_cut_off(admin, status, request_text):
    """In its own words, which cannot be changed: it has no hook there. Reset when there is more to
    read, so an answer may be lost on its way."""
    begun = time.monotonic()
    answer = parse(admin.say(request_text))
    assert time.monotonic() - begun < 5
    if answer is not None:
        assert answer.status == status and not answer.text.startswith("{")
    assert admin.get("/live") == {"live": True}


def test_a_nul_ends_what_is_looked_at(admin):
    """The library takes lines for C strings: a target ends there, and a header; nothing behind it
    counts, and a Host that ends there is looked at as it is."""
    assert parse(admin.say(b"GET /live\0/../x HTTP/1.1\r\n" + HOST + CLOSE)).status == 200
    assert parse(admin.say(b"GET /nothing\0 HTTP/1.1\r\n" + HOST + CLOSE)).status == 404
    assert parse(admin.say(GET + b"Host: evil.example\0.127.0.0.1\r\n" + CLOSE)).status == 403
    assert parse(admin.say(GET + b"Ho\0st: 127.0.0.1\r\n" + CLOSE)).status == 400
    assert admin.get("/live") == {"live": True}


@pytest.mark.parametrize(
    "target",
    [
        "/../../etc/passwd",
        "/api/%2e%2e/api/status",
        "/api/..%2fapi/status",
        "/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/api/./status",
        "//api/status",
        "/api//status",
        "/api/status/",
        "/API/STATUS",
        "/api/status;a=b",
        "/api/status%20",
        "/api%2fstatus",
        "/web/..%2f..%2fconf",
        "/\\..\\conf",
        "/%c0%ae%c0%ae/",
        "/api/clusters/back/backends/../../x/drain",
        "/api/clusters/../backends/b1/drain",
    ],
)
def test_a_path_is_taken_as_it_is_written(admin, target):
    """There is one way to write each, and no file behind any."""
    for method in ("GET", "POST"):
        answer = admin.request(method, target)
        assert answer.status in (404, 405) and answer.json["error"], (method, answer)


def test_what_comes_behind_a_refused_body_is_no_request(admin):
    """However its end is seen: nothing that follows a body of two lengths is answered."""
    hidden = b"POST /api/drain HTTP/1.1\r\n" + HOST + b"\r\n"
    for lengths in (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 0\r\n",
        b"Transfer-Encoding : chunked\r\n",
    ):
        heard = admin.say(POST + lengths + b"\r\n0\r\n\r\n" + hidden)
        assert heard.count(b"HTTP/1.1 ") == 1, heard
        assert parse(heard).status in (400, 411)
    assert admin.get("/api/status")["state"] == "accepting"
    # The control: behind a body of one length there is another request.
    heard = admin.say(POST + b"Content-Length: 5\r\n\r\nhello" + GET + HOST + CLOSE)
    assert heard.count(b"HTTP/1.1 ") == 2 and heard.endswith(b'{"live":true}\n')


def test_requests_that_come_together_are_answered_in_their_order(admin):
    paths = [b"/live", b"/nothing", b"/api/listeners", b"/ready", b"/%zz"] * 8
    asked = b"".join(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n" for path in paths)
    heard = admin.say(asked + GET + HOST + CLOSE)
    statuses = [int(piece[:3]) for piece in heard.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 404, 200, 200, 400] * 8 + [200]


def test_a_client_that_asks_first_is_told_whether_its_body_is_wanted(admin):
    expects = b"Expect: 100-continue\r\n\r\n"
    with admin.raw() as sock:
        sock.sendall(POST + b"Content-Length: 5\r\n" + expects)
        assert sock.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"hello")
        assert sock.recv(4096).startswith(b"HTTP/1.1 404 ")
    heard = admin.say(POST + b"Content-Length: 10485760\r\n" + expects)
    assert b"100 Continue" not in heard and parse(heard).status == 413
    heard = admin.say(POST.replace(HOST, b"Host: evil\r\n") + b"Content-Length: 5\r\n" + expects)
    assert b"100 Continue" not in heard and parse(heard).status == 403
