"""People who sign in to a console by an OpenID provider."""

import uuid
from urllib.parse import parse_qs, urlencode, urlsplit

from console_case import SESSION, ConsoleCase

from latchkey_test.openid import OpenIdProvider

CALLBACK = "/session/openid/callback"
OVER, REFUSED = "SIGN_IN_OVER", "PROVIDER_REFUSED"


class OpenIdCase(ConsoleCase):
    certificates = None
    own_settings = {}

    @classmethod
    def setUpClass(cls):
        cls.provider = cls.enter(OpenIdProvider(cls.certificates))
        cls.settings = {"console_openid_retry": "1ms", "console_openid_tries": 100000, **cls.provider.settings(), **cls.own_settings}
        super().setUpClass()

    def setUp(self):
        self.provider.reset()

    # ---- the steps of it ----

    def begin(self, browser, **message):
        return browser.post("/session/openid", {"company": self.company, **message})

    def go(self, browser):
        """What the provider is asked, and the code that it answers with."""
        answer = self.begin(browser)
        self.assertEqual(answer.status, 200, answer)
        code = f"code-{uuid.uuid4()}"
        return self.provider.authorize(answer.json()["location"], code), code

    def come_back(self, browser, **fields):
        """Why nobody is signed in; None where somebody is."""
        answer = browser.get(f"{CALLBACK}?{urlencode(fields)}")
        return self.reason_of(answer)

    def reason_of(self, answer):
        self.assertEqual(answer.status, 303, answer)
        where = urlsplit(answer.get("location"))
        self.assertEqual((where.scheme, where.netloc, where.path), ("", "", "/sign-in"))
        return parse_qs(where.query).get("refused", [None])[0]

    def try_to_sign_in(self, browser=None, **claims):
        browser = browser or self.browser()
        self.provider.claims = {"email": self.new_member(), **claims}
        asked, code = self.go(browser)
        reason = self.come_back(browser, code=code, state=asked["state"])
        self.assertEqual(browser.session()["signedIn"], reason is None)
        self.assertEqual(SESSION in browser.cookies, reason is None)
        return reason

    def refuse(self, reason=REFUSED, **claims):
        """Both sides of it: without the fault the same person is let in."""
        self.assertEqual(self.try_to_sign_in(**claims), reason, claims)
