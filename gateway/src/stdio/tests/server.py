"""A server on standard streams that does what a test asks of it, one method for each thing."""

import json
import os
import signal
import subprocess
import sys
import time

MODERN = "modern" in sys.argv
SILENT = "silent" in sys.argv
waiting = {}
asking = {}


def say(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(id, **result):
    say(id=id, result=result)


def heard(message):
    id, method, params = message.get("id"), message.get("method"), message.get("params") or {}
    if method is None:
        answer(asking.pop(id), client=message.get("result"))
    elif method == "initialize":
        if "refuse" in sys.argv:
            return say(id=id, error={"code": -32602, "message": "no"})
        answer(id, protocolVersion="2025-11-25", capabilities={}, serverInfo={"name": "t", "version": "1"}, pid=os.getpid())
    elif method == "server/discover":
        if SILENT:
            return
        if MODERN:
            answer(id, supportedVersions=["2026-07-28"])
        else:
            say(id=id, error={"code": -32601, "message": "Method not found"})
    elif method == "notifications/cancelled":
        if waiting.pop(params["requestId"], None):
            say(method="notifications/message", params={"data": "cancelled"})
    elif method == "tell":
        answer(id, environment=dict(os.environ), pid=os.getpid(), seen=id)
    elif method == "slow":
        waiting[id] = True
    elif method == "waiting":
        answer(id, waiting=len(waiting))
    elif method == "progress":
        for step in range(3):
            say(method="notifications/progress", params={"progressToken": params["_meta"]["progressToken"], "progress": step})
        answer(id, done=True)
    elif method == "ask":
        asking["s1"] = id
        say(id="s1", method="sampling/createMessage", params={})
    elif method == "changed":
        say(method="notifications/tools/list_changed")
        answer(id)
    elif method == "die":
        os._exit(3)
    elif method == "fork":
        answer(id, pid=subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL).pid)
    elif method == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        answer(id, pid=os.getpid())
        while True:
            time.sleep(1000)
    elif method == "big":
        answer(id, text="x" * params["bytes"])
    elif method == "garbage":
        print("not JSON")
        print('{"jsonrpc":"2.0","id":1,"id":2,"result":{}}')
        answer(id)
    elif method == "subscriptions/listen":
        mark = {"_meta": {"io.modelcontextprotocol/subscriptionId": id}}
        say(method="notifications/subscriptions/acknowledged", params=mark)
        waiting[id] = True
    elif method == "update":
        for listening in waiting:
            mark = {"_meta": {"io.modelcontextprotocol/subscriptionId": listening}}
            say(method="notifications/resources/updated", params={"uri": "x", **mark})
        answer(id)
    elif id is not None:
        say(id=id, error={"code": -32601, "message": "Method not found"})


for line in sys.stdin:
    heard(json.loads(line))
