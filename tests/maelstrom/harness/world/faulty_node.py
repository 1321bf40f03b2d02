"""A node that answers itself, and breaks the one rule it was told to: the harness's negative
controls."""
import json
import sys
import threading
import time

number = 0


def say(dest, body, separators=(",", ":")):
    global number
    body["msg_id"] = number
    number += 1
    print(json.dumps({"src": name, "dest": dest, "body": body}, separators=separators), flush=True)


def later(dest, body):
    time.sleep(1)
    say(dest, body)


def echo(client, body):
    global number
    answer = {"type": "echo_ok", "in_reply_to": body["msg_id"], "echo": body["echo"]}
    if fault == "twice":
        say(client, dict(answer))
    elif fault == "other_request":
        answer["in_reply_to"] += 100
    elif fault == "stray_line":
        print("hello", flush=True)
    elif fault == "extra_key":
        answer["extra"] = 1
    elif fault == "skipped_number":
        number += 1
    elif fault == "unknown_dest":
        say("n9", {"type": "ping"})
    elif fault == "unasked":
        say(client, {"type": "news"})
    elif fault == "wrong_content":
        answer["echo"] = "other"
    elif fault == "exit":
        sys.exit(0)
    elif fault == "dishonest_error":
        answer = {"type": "error", "in_reply_to": body["msg_id"], "code": 13, "text": "no"}
    elif fault == "silent":
        return
    elif fault == "late":
        threading.Thread(target=later, args=(client, answer)).start()
        return
    say(client, answer, (", ", ": ") if fault == "spaces" else (",", ":"))


fault = sys.argv[1]
for line in sys.stdin:
    message = json.loads(line)
    if message["body"]["type"] == "init":
        name = message["body"]["node_id"]
        say(message["src"], {"type": "init_ok", "in_reply_to": message["body"]["msg_id"]})
    elif message["body"]["type"] == "echo":
        echo(message["src"], message["body"])
