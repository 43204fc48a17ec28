"""Callers behind a real proxy: Debian's nginx passes their calls on, and only what a trusted one says of them counts."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import grpc

from latchkey_test import Client, Deployment, error_info, stubs
from latchkey_test.ports import free_port
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")
whitelist_pb2 = stubs.messages("latchkey/v1/whitelist.proto")

# The addresses from which the two proxies call on; clients are at 127.0.0.1 or ::1.
INNER, OUTER = "127.0.0.2", "127.0.0.3"
SPOOFED = "203.0.113.9"

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {directory}/pid;
error_log {directory}/error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {servers}
}}
"""

SERVER = """
    server {{
        listen 127.0.0.1:{port} http2;
        listen [::1]:{port} http2;
        location / {{
            grpc_pass grpc://{upstream};
            grpc_bind {source};
            grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
"""


class Nginx:
    """One nginx with a server for each (port, upstream, source address)."""

    def __init__(self, *servers):
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-nginx-"))
        text = CONFIGURATION.format(directory=self.directory, servers="".join(
            SERVER.format(port=port, upstream=upstream, source=source)
            for port, upstream, source in servers))
        (self.directory / "nginx.conf").write_text(text, encoding="ascii")
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-e", self.directory / "start.log", "-p", self.directory,
                                         "-c", self.directory / "nginx.conf"], stdin=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.directory, ignore_errors=True)


class TrustedProxy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(trusted_proxies=f"{INNER},{OUTER}")
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.inner, cls.outer, cls.stranger = (free_port() for _ in range(3))
        server = cls.deployment.server.address
        cls.nginx = Nginx((cls.inner, server, INNER), (cls.outer, f"127.0.0.1:{cls.inner}", OUTER),
                          (cls.stranger, server, "127.0.0.4"))
        cls.addClassCleanup(cls.nginx.stop)
        for port in (cls.inner, cls.outer, cls.stranger):
            wait_until(lambda port=port: cls.answers(f"127.0.0.1:{port}"), 30, "nginx to pass calls on")

    @classmethod
    def client(cls, address):
        return Client(address, cls.deployment.secrets["LATCHKEY_TOKEN"])

    @classmethod
    def answers(cls, address):
        try:
            return cls.seen_at(address)
        except grpc.RpcError:
            return None

    @classmethod
    def seen_at(cls, address, *forwarded):
        """The caller's address as the server sees it."""
        metadata = [("x-forwarded-for", text) for text in forwarded]
        with cls.client(address) as client:
            return client.tokens.GetCaller(token_pb2.GetCallerRequest(), metadata=metadata, timeout=10).caller.client_ip

    def test_the_caller_is_whom_the_proxy_saw(self):
        self.assertEqual(self.seen_at(f"127.0.0.1:{self.inner}"), "127.0.0.1")
        self.assertEqual(self.seen_at(f"[::1]:{self.inner}"), "::1")

    def test_what_the_caller_says_of_itself_does_not_count(self):
        for forwarded in ((SPOOFED,), (SPOOFED, INNER), (f"{SPOOFED}, {OUTER}",), ("nonsense",), ("",)):
            self.assertEqual(self.seen_at(f"127.0.0.1:{self.inner}", *forwarded), "127.0.0.1", forwarded)

    def test_of_two_proxies_in_a_row_the_outer_one_saw_the_caller(self):
        self.assertEqual(self.seen_at(f"127.0.0.1:{self.outer}"), "127.0.0.1")
        self.assertEqual(self.seen_at(f"127.0.0.1:{self.outer}", SPOOFED), "127.0.0.1")

    def test_a_proxy_that_is_not_trusted_is_the_caller(self):
        self.assertEqual(self.seen_at(f"127.0.0.1:{self.stranger}", SPOOFED), "127.0.0.4")

    def test_who_calls_directly_is_what_the_connection_says(self):
        self.assertEqual(self.seen_at(self.deployment.server.address, SPOOFED), "127.0.0.1")

    def test_the_whitelist_and_its_guard_go_by_the_caller_behind_the_proxy(self):
        enable = whitelist_pb2.UpdateWhitelistRequest(whitelist={"enabled": True}, update_mask={"paths": ["enabled"]})
        disable = whitelist_pb2.UpdateWhitelistRequest(whitelist={}, update_mask={"paths": ["enabled"]})
        with self.client(f"[::1]:{self.inner}") as at_home, self.client(f"127.0.0.1:{self.outer}") as away:
            add = whitelist_pb2.AddWhitelistEntriesRequest(entries=[{"address": INNER}, {"address": "127.0.0.1"}])
            at_home.whitelist.AddWhitelistEntries(add, timeout=10)
            with self.assertRaises(grpc.RpcError) as caught:
                at_home.whitelist.UpdateWhitelist(enable, timeout=10)
            self.assertEqual(error_info(caught.exception).metadata["neededEntry"], "::1/128")
            away.whitelist.UpdateWhitelist(enable, timeout=10)
            with self.assertRaises(grpc.RpcError) as caught:
                at_home.whitelist.GetWhitelist(whitelist_pb2.GetWhitelistRequest(), metadata=[("x-forwarded-for", INNER)],
                                               timeout=10)
            self.assertEqual(error_info(caught.exception).reason, "COMPANY_IP_NOT_LISTED")
            away.whitelist.UpdateWhitelist(disable, timeout=10)
            at_home.whitelist.GetWhitelist(whitelist_pb2.GetWhitelistRequest(), timeout=10)


if __name__ == "__main__":
    unittest.main()
