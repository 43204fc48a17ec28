"""Secrets as common/crypto/secret.h describes them, for rows that a test puts into the database itself."""

import hashlib
import random
import zlib

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(number, length):
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits


def make_secret(source, lane, kind="a"):
    """An access token's secret, or another kind's; `source` is a random.Random, so that a seed makes the same ones again."""
    text = f"lk{kind}_" + base62(lane, 2) + base62(source.getrandbits(256), 43)
    return text + base62(zlib.crc32(text.encode()), 6)


def make_secrets(count, lane, seed=1):
    source = random.Random(seed)
    return [make_secret(source, lane) for _ in range(count)]


def lane_of(secret):
    """The lane that it names, its company's."""
    high, low = map(_DIGITS.index, secret[4:6])
    return 62 * high + low


def digest(secret):
    """What the database holds of it."""
    return hashlib.sha256(secret.encode()).digest()


def hint(secret):
    return f"{secret[:4]}…{secret[-4:]}"
