"""A service that knows nothing of tokens, for tests of what stands in front of it."""

import http.server
import json
import threading


class Echo(http.server.ThreadingHTTPServer):
    """Answers with what it was asked: `method`, `path`, and `headers`, a list of pairs with names in lower case. Counts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.server.count += 1
            headers = [(name.lower(), value) for name, value in self.headers.items()]
            body = json.dumps({"method": self.command, "path": self.path, "headers": headers}).encode()
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.daemon_threads = True
        self.count = 0
        self.address = f"127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()
