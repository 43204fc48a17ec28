"""Calls as anybody makes them who has nothing but curl: Connect's unary JSON over HTTP/2.

    status, answer = connect.post(server.address, "/latchkey.v1.TokenService/GetCaller", {}, secret)
"""

import gzip
import json
import subprocess


def post(address, path, message, secret=None, method="POST", headers=(), compressed=False):
    """(HTTP status, what the JSON of the body says); `compressed`: the request by gzip."""
    arguments = ["-X", method, "-H", "content-type: application/json", "--data-binary", "@-"]
    body = json.dumps(message).encode()
    if compressed:
        arguments, body = [*arguments, "-H", "content-encoding: gzip"], gzip.compress(body)
    return _curl(address, path, arguments, secret, headers, body)


def get(address, path_and_query, secret=None, headers=()):
    return _curl(address, path_and_query, [], secret, headers, None)


def _curl(address, path, arguments, secret, headers, body):
    if secret:
        headers = [*headers, f"authorization: Bearer {secret}"]
    for header in headers:
        arguments = [*arguments, "-H", header]
    done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-w", "\n%{http_code}", *arguments,
                           f"http://{address}{path}"], input=body, capture_output=True, timeout=60, check=True)
    text, status = done.stdout.decode().rsplit("\n", 1)
    return int(status), json.loads(text) if text else None
