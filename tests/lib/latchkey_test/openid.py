"""An OpenID provider that says whatever a test wants it to: for what a provider, or who stands in its place, may do wrong.

    with OpenIdProvider() as provider, Deployment(**provider.settings(), ...) as deployment:
        provider.claims["email"] = "ada@example.com"

What a kept implementation does is for tests/console/test_openid.py.
"""

import base64
import hashlib
import hmac
import json
import shutil
import ssl
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLIENT, SECRET = "console", "correct horse: battery/staple%"


def encode(data):
    """Base64 as JOSE has it."""
    if isinstance(data, (dict, list)):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class RsaKey:
    def __init__(self, key_id, bits=2048, algorithm="RS256"):
        self.key_id, self.algorithm = key_id, algorithm
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    def public(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "kid": self.key_id, "n": number(numbers.n), "e": number(numbers.e)}

    def pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data):
        if self.algorithm == "PS256":
            return self.private.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())


class EcKey:
    algorithm = "ES256"

    def __init__(self, key_id):
        self.key_id = key_id
        self.private = ec.generate_private_key(ec.SECP256R1())

    def public(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "use": "sig", "kid": self.key_id, "x": number(numbers.x, 32), "y": number(numbers.y, 32)}

    def sign(self, data):
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class HmacKey:
    """What nobody may take: anybody who knows the key's bytes signs by it."""

    algorithm = "HS256"

    def __init__(self, key_id, secret):
        self.key_id, self.secret = key_id, secret

    def sign(self, data):
        return hmac.new(self.secret, data, hashlib.sha256).digest()


class NoKey:
    algorithm, key_id = "none", None

    def sign(self, data):
        del data
        return b""


def token_of(key, claims, **header):
    head = {"alg": key.algorithm, **({"kid": key.key_id} if key.key_id else {}), **header}
    signed = f"{encode(head)}.{encode(claims) if isinstance(claims, dict) else encode(claims.encode())}"
    return f"{signed}.{encode(key.sign(signed.encode()))}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """No news."""

    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def serve(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self.server.provider.answer(self, urlsplit(self.path).path, body)

    def reply(self, status, body, fields=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """Who hangs up on what is too large or too slow is expected here."""


class OpenIdProvider:
    """`certificates` (mail.Certificates): over TLS, vouched for by their authority."""

    def __init__(self, certificates=None):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.provider = self
        self.certificates = certificates
        scheme, host = ("https", "localhost") if certificates else ("http", "127.0.0.1")
        if certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.certificate, certificates.key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.issuer = f"{scheme}://{host}:{self.server.server_port}"
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-openid-"))
        self.secret_file = self.directory / "secret"
        self.secret_file.write_text(SECRET + "\n", encoding="ascii")
        self.key = RsaKey("one")
        self.reset()

    def reset(self):
        """As a provider should be."""
        self.requests = []  # (path, form, authorization)
        self.document = {}  # in place of, or beside, what it should say
        self.keys = [self.key.public()]
        self.claims = {}  # the same; None = left out
        self.make_token = lambda claims: token_of(self.key, claims)
        self.answers = {}  # path -> (handler -> None), in place of the answer
        self.nonces = {}  # code -> nonce

    def settings(self):
        return {"console_openid_issuer": self.issuer, "console_openid_client_id": CLIENT,
                "console_openid_client_secret_file": self.secret_file,
                **({"console_openid_ca_file": self.certificates.authority} if self.certificates else {})}

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.directory)

    def authorize(self, location, code):
        """Somebody signs in at that address: the code is for what it asked for."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        self.nonces[code] = query
        return query

    def count(self, path):
        return sum(request[0] == path for request in self.requests)

    # ---- what it answers ----

    def answer(self, handler, path, body):
        self.requests.append((path, parse_qs(body), handler.headers.get("authorization")))
        if path in self.answers:
            self.answers[path](handler)
        elif path == "/.well-known/openid-configuration":
            handler.reply(200, self.describe())
        elif path == "/keys":
            handler.reply(200, {"keys": self.keys})
        elif path == "/token":
            self.answer_token(handler, parse_qs(body))
        else:
            handler.reply(404, {})

    def describe(self):
        return {"issuer": self.issuer, "authorization_endpoint": self.issuer + "/authorize", "token_endpoint": self.issuer + "/token",
                "jwks_uri": self.issuer + "/keys", **self.document}

    def answer_token(self, handler, form):
        asked = self.nonces.get(form.get("code", [""])[0])
        challenge = encode(hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest())
        if not asked or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"][0]:
            handler.reply(400, {"error": "invalid_grant", "error_description": "<script>alert(1)</script>"})
            return
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "s-1", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": asked["nonce"],
                  "email_verified": True, **self.claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        handler.reply(200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.make_token(claims)})
