"""ID tokens of the provider by which people sign in to the console: those that are not to be believed let nobody in."""

import time
import unittest

from openid_case import OpenIdCase

from latchkey_test.openid import CLIENT, SECRET, HmacKey, NoKey, RsaKey, encode, token_of


class Tokens(OpenIdCase):
    def test_another_issuer(self):
        for issuer in ("https://evil.example", self.provider.issuer + "/", self.provider.issuer + "\0x", "", None, 7):
            self.refuse(iss=issuer)

    def test_another_audience(self):
        for audience in ("other", CLIENT + "\0", [], ["other"], [CLIENT, "other"], {CLIENT: 1}, [CLIENT + "\0"], None):
            self.refuse(aud=audience)
        self.refuse(azp="other")
        self.refuse(aud=[CLIENT, "other"], azp="other")
        self.assertIsNone(self.try_to_sign_in(aud=[CLIENT]))
        self.assertIsNone(self.try_to_sign_in(aud=[CLIENT, "other"], azp=CLIENT))

    def test_another_time(self):
        now = int(time.time())
        for claims in ({"exp": now - 120}, {"exp": None}, {"exp": str(now + 300)}, {"exp": -1}, {"exp": 1e300}, {"iat": now + 600},
                       {"iat": None}, {"nbf": now + 600}, {"nbf": "x"}):
            self.refuse(**claims)
        self.assertIsNone(self.try_to_sign_in(exp=now - 5, iat=now + 5))

    def test_another_nonce(self):
        for nonce in ("other", "", None, True):
            self.refuse(nonce=nonce)

    def test_no_subject(self):
        for subject in ("", None, 7, "a\0b", "x" * 256):
            self.refuse(sub=subject)

    def test_an_address_that_is_not_verified(self):
        for verified in (False, None, "true", 1, "false", [True]):
            self.refuse("EMAIL_NOT_VERIFIED", email_verified=verified)

    def test_an_address_that_only_begins_like_a_members(self):
        email = self.new_member()
        for address in (email + "\0.evil.example", email + "\n", email + "\x7f", "x" * 300, 7, f"Ada <{email}>", f"{email},{email}"):
            self.refuse("EMAIL_NOT_VERIFIED", email=address)

    def test_an_address_that_only_folds_to_a_members(self):
        email = self.new_member("k-and-i-")
        for address in (email.replace("k", "\u212a"), email.replace("i", "\u0130")):
            self.assertNotEqual(address, email)
            self.refuse("EMAIL_NOT_VERIFIED", email=address)
        self.assertIsNone(self.try_to_sign_in(email=email))

    def test_a_signature_by_nobody_or_by_what_everybody_knows(self):
        key = self.provider.key
        for fake in (NoKey(), HmacKey("one", key.pem()), HmacKey("one", SECRET.encode()), HmacKey("one", encode(key.public()).encode()),
                     RsaKey("one"), RsaKey("three")):
            self.provider.make_token = lambda claims, fake=fake: token_of(fake, claims)
            self.refuse()

    def test_a_header_that_says_something_else(self):
        key = self.provider.key
        for header in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "RS512"}, {"alg": "rs256"}, {"alg": "PS256"}, {"alg": "ES256"}, {"alg": None},
                       {"alg": ["RS256"]}, {"kid": "other"}, {"kid": 7}, {"kid": "one\0"}, {"crit": ["exp"]}, {"x": "x" * 3000}):
            self.provider.make_token = lambda claims, header=header: token_of(key, claims, **header)
            self.refuse()

    def test_a_key_that_comes_with_the_token(self):
        fake = RsaKey("fake")
        self.provider.make_token = lambda claims: token_of(fake, claims, jwk=fake.public(), jku=self.provider.issuer + "/evil")
        self.refuse()
        self.assertEqual(self.provider.count("/evil"), 0)

    def test_a_key_that_is_for_something_else_or_too_short(self):
        key, short = self.provider.key, RsaKey("short", bits=1024)
        keys = [{**key.public(), **wrong, "kid": f"wrong-{i}"} for i, wrong in enumerate((
            {"use": "enc"}, {"use": None}, {"alg": "RS512"}, {"kty": "oct", "k": "eA"}, {"kty": "EC"}, {"n": "AAAA"}, {"n": "!"}, {"n": ""},
            {"e": ""}, {"e": "AA"}, {"n": key.public()["n"] * 8}, {"n": key.public()["n"] + "\0"}, {"n": "A="}, {"n": "AAAAA"},
            {"n": key.public()["n"] + "="}, {"e": "A==="}, {"e": "AQABA"}, {"e": "AQAB" * 20}))]
        twice = {**key.public(), "kid": "twice"}
        self.provider.keys = ["x", 7, None, [], *keys, twice, twice, short.public(), {**key.public(), "kid": "right"}]
        for key_id in [key["kid"] for key in keys] + ["twice", None]:
            self.provider.make_token = lambda claims, key_id=key_id: token_of(key, claims, kid=key_id)
            self.refuse()
        self.provider.make_token = lambda claims: token_of(short, claims)
        self.refuse()
        self.provider.make_token = lambda claims: token_of(key, claims, kid="right")
        self.assertIsNone(self.try_to_sign_in())

    def test_what_is_no_token(self):
        good = {}

        def spoil(how):
            return lambda claims: how(token_of(self.provider.key, claims))
        for how in (lambda token: "", lambda token: token + ".x", lambda token: token[:-4], lambda token: token.rsplit(".", 1)[0] + ".",
                    lambda token: token.replace(".", "", 1), lambda token: "." + token, lambda token: "x" * 20000, lambda token: 7,
                    lambda token: token + "\0", lambda token: None,
                    lambda token: token + "=", lambda token: token.replace(".", "A=.", 1), lambda token: token.replace(".", "=.", 1),
                    lambda token: "A=." + token.split(".", 1)[1], lambda token: token.rsplit(".", 1)[0] + ".A=",
                    lambda token: token.rsplit(".", 1)[0] + ".AAAAA", lambda token: token.replace(".", ".A=", 1),
                    lambda token: "A" + token, lambda token: token.replace(".", "\n.", 1), lambda token: token_of(self.provider.key, "[]"),
                    lambda token: token_of(self.provider.key, '{"iss":"a","iss":"b"}'), lambda token: token_of(self.provider.key, "\xff")):
            self.provider.make_token = spoil(how)
            self.refuse(**good)


if __name__ == "__main__":
    unittest.main()
