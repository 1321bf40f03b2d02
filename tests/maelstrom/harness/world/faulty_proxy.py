"""A node that proxies read, write and cas to lin-kv and is wrong about what it cannot know, in the
way it was told to: the negative controls of the linearizability check."""
import json
import os
import select
import sys
import time

TIMEOUT_SECONDS = 0.3
fault = sys.argv[1]  # none, denies, asks_again
number = 0
open_requests = {}  # our msg_id: (deadline, client, its msg_id, what was asked, how often)


def say(dest, body):
    global number
    message = {"src": name, "dest": dest, "body": {**body, "msg_id": number}}
    print(json.dumps(message, separators=(",", ":")), flush=True)
    number += 1
    return number - 1


def send_on(client, client_number, asked, times=1):
    deadline = time.monotonic() + TIMEOUT_SECONDS
    open_requests[say("lin-kv", asked)] = (deadline, client, client_number, asked, times)


def expire():
    for mine, (deadline, client, client_number, asked, times) in list(open_requests.items()):
        if deadline > time.monotonic():
            continue
        del open_requests[mine]
        if fault == "asks_again" and times == 1:
            send_on(client, client_number, asked, times + 1)
            continue
        code = 11 if fault == "denies" else 0
        say(client, {"type": "error", "in_reply_to": client_number, "code": code, "text": "why"})


def handle(message):
    global name
    src, body = message["src"], message["body"]
    if body["type"] == "init":
        name = body["node_id"]
        say(src, {"type": "init_ok", "in_reply_to": body["msg_id"]})
    elif "in_reply_to" in body:
        asked = open_requests.pop(body.pop("in_reply_to"), None)
        if asked is not None:
            say(asked[1], {"type": body.pop("type"), "in_reply_to": asked[2], **body})
    else:
        client_number = body.pop("msg_id")
        send_on(src, client_number, body)


partial = b""
while True:
    if select.select([0], [], [], 0.01)[0]:
        data = os.read(0, 1 << 16)
        if not data:
            break
        *lines, partial = (partial + data).split(b"\n")
        for line in lines:
            handle(json.loads(line))
    expire()
while open_requests:
    time.sleep(0.01)
    expire()
