"""Clients that call on and on while something is done to the servers, each call a connection with the addresses of its replicas:

    with NodeCaller(ROUND_ROBIN, calls) as caller:
        ...
    caller.counts    # {path: {"answered": 1234, "14 the connection is gone": 1}}

`calls` are call(path, servers, secret, request). They repeat nothing themselves. Without a retryPolicy in `config` what is counted as
answered was answered with what every gRPC client does by itself, which is to call again what the server has said it never began.
"""

import base64
import json
import subprocess

from latchkey_test import ROOT

# Turns among the replicas; the one setting that a client with several addresses has to choose.
ROUND_ROBIN = {"loadBalancingConfig": [{"round_robin": {}}]}
# With that of examples/: for a validator that has just begun, and says that it is loading.
WITH_RETRIES = {**ROUND_ROBIN, "methodConfig": [{"name": [{"service": "latchkey.v1.ValidationService"}], "retryPolicy": {
    "maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]}


def call(path, servers, secret, request):
    return {"path": path, "addresses": [server.address for server in servers], "secret": secret,
            "request": base64.b64encode(request.SerializeToString()).decode()}


class Caller:
    def __init__(self, config, calls):
        self._plan = json.dumps({"config": json.dumps(config), "calls": calls})
        self.counts = {}

    def __enter__(self):
        self._process = subprocess.Popen(self.COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process.stdin.write(self._plan + "\n")
        self._process.stdin.flush()
        return self

    def __exit__(self, *_):
        said, _ = self._process.communicate(timeout=120)
        self.counts = json.loads(said)


class NodeCaller(Caller):
    COMMAND = ("node", ROOT / "tests/interop/caller/caller.js")


class GoCaller(Caller):
    COMMAND = (ROOT / "build/interop/bin/caller",)
