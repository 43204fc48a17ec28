"""Somebody else's pages on the same machine: at a name below the console's, which browsers take for the same site, and at another site."""

import http.server
import threading


class Attacker:
    """Serves what `pages` has, path -> HTML, at `below` and `elsewhere`; notes what it was asked for in `seen`."""

    def __init__(self, host):
        self.pages, self.seen = {}, []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        port = self._server.server_address[1]
        self.below, self.elsewhere = f"http://evil.{host}:{port}", f"http://evil.localhost:{port}"

    def _handler(attacker):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                attacker.seen.append((self.path, dict(self.headers)))
                body = attacker.pages.get(self.path, "").encode()
                self.send_response(200 if body else 404)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
