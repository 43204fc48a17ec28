"""Debian's Chromium, driven by Playwright and watched: a page that runs what it should not, breaks the Content-Security-Policy, throws,
or asks anybody but the console for anything has the test fail that saw it.

    with Browser("http://console.localhost:8080") as browser:
        visitor = browser.visit(address="203.0.113.7")
        visitor.page.goto(browser.url)
"""

import os

from playwright.sync_api import expect, sync_playwright

# What shows pages in Chromium without the windows around them, which are half of the work. `LATCHKEY_SHOW_BROWSER=1` takes the whole.
CHROMIUM = "/usr/bin/chromium" if os.environ.get("LATCHKEY_SHOW_BROWSER") else "/usr/bin/chromium-headless-shell"
# What should happen may take this long on a busy machine.
PATIENCE_S = 90

# Root has no sandbox to start; all pages are ours, and so are all of these names.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--host-resolver-rules=MAP *.example.com 127.0.0.1"]

# And what was said in passing, which is gone when a test comes late.
_WATCH = """
addEventListener("securitypolicyviolation", event =>
    latchkeyOffence(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
window.latchkeySaid = new Set();
new MutationObserver(() => {
    for (const status of document.querySelectorAll("[role=status]")) latchkeySaid.add(status.textContent);
}).observe(document, {subtree: true, childList: true, characterData: true});
"""

expect.set_options(timeout=1000 * PATIENCE_S)


class Browser:
    """One process of Chromium, with as many visitors as wanted: each has cookies and storage of its own."""

    def __init__(self, url):
        self.url = url
        self.visitors = []

    def __enter__(self):
        self._playwright = sync_playwright().start()
        self.chromium = self._playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS,
                                                         headless=not os.environ.get("LATCHKEY_SHOW_BROWSER"))
        return self

    def __exit__(self, *_):
        self.chromium.close()
        self._playwright.stop()

    def visit(self, address=None, **options):
        """A visitor; `address` is what the proxy in front would say, `options` are those of Playwright's new_context()."""
        visitor = Visitor(self.url, self.chromium, address, options)
        self.visitors.append(visitor)
        return visitor

    def take_offences(self):
        """What all visitors saw since, and closes them."""
        offences = [offence for visitor in self.visitors for offence in visitor.offences]
        for visitor in self.visitors:
            visitor.close()
        self.visitors.clear()
        return offences


class Visitor:
    """A person with a browser and one page in it. `requests` are those that it has made, `offences` what should not have been."""

    def __init__(self, url, chromium, address, options):
        self.url, self.offences, self.requests = url, [], []
        self.known = [url]  # origins that may be asked
        self.context = chromium.new_context(**{"base_url": url, "viewport": {"width": 1280, "height": 800}, "locale": "en-GB",
                                               "timezone_id": "Europe/Berlin", **options})
        self.move_to(address)
        self.context.set_default_timeout(1000 * PATIENCE_S)
        self.context.expose_binding("latchkeyOffence", lambda _, words: self.offences.append(words))
        self.context.add_init_script(_WATCH)
        self.context.on("request", self._see_request)
        self.context.on("page", self._watch)
        self.page = self.context.new_page()

    def put_cookie(self, name, value):
        """As the console sets it."""
        self.context.add_cookies([{"name": name, "value": value, "url": self.url.replace("http:", "https:"),
                                   "httpOnly": True, "secure": True, "sameSite": "Strict"}])

    def move_to(self, address):
        """From now on the proxy in front sees the visitor there; None: there is no proxy."""
        self.context.set_extra_http_headers({"x-forwarded-for": address} if address else {})

    def _watch(self, page):
        page.on("dialog", self._see_dialog)
        page.on("pageerror", lambda error: self.offences.append(f"error: {error}"))

    def _see_dialog(self, dialog):
        if dialog.type != "beforeunload":
            self.offences.append(f"dialog: {dialog.type} {dialog.message}")
        dialog.accept()

    def _see_request(self, request):
        self.requests.append(request)
        if not request.url.startswith((*(origin + "/" for origin in self.known), "data:", "blob:")):
            self.offences.append(f"request to another: {request.method} {request.url}")

    def close(self):
        self.context.close()
