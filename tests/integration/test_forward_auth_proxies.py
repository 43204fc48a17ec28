"""The proxies that people run and Debian has, asking at the door. tests/interop has another one."""

import unittest

from door_case import DoorCase
from latchkey_test.nginx import nginx_configuration
from proxy_case import Behind, Proxy

CADDY = """
{{
    admin off
    auto_https off
}}
{block}
"""


class Nginx(Proxy):
    language = "nginx"

    def command(self, text):
        (self.directory / "nginx.conf").write_text(nginx_configuration(text), encoding="ascii")
        return "/usr/sbin/nginx", "-e", self.directory / "start.log", "-p", self.directory, "-c", "nginx.conf"


class Caddy(Proxy):
    language = "caddyfile"

    def command(self, text):
        (self.directory / "Caddyfile").write_text(CADDY.format(block=text), encoding="ascii")
        return "/usr/bin/caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"


class BehindNginx(Behind, DoorCase):
    kind = Nginx
    undecided = (500, None)


class BehindCaddy(Behind, DoorCase):
    kind = Caddy
    undecided = (503, "1")


if __name__ == "__main__":
    unittest.main()
