"""Certificates for tests, made by the openssl program: an authority and what it signs, as PEM files of a directory."""

import itertools
import subprocess
from pathlib import Path


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)


class Authority:
    """`Authority(directory).make("DNS:localhost,IP:127.0.0.1")` returns a certificate's path and its key's."""

    def __init__(self, directory, name="authority"):
        self._directory, self._name = Path(directory), name
        self._numbers = itertools.count(1)
        self.certificate, self._key = self._path("pem"), self._path("key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
                 "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.certificate)

    def _path(self, suffix, number=""):
        return self._directory / f"{self._name}{number}.{suffix}"

    def make(self, names, days=2):
        """Signed for the alternative names; expired with negative days."""
        number = next(self._numbers)
        request, extensions, certificate, key = (self._path(suffix, number) for suffix in ("csr", "ext", "pem", "key"))
        extensions.write_text(f"subjectAltName={names}\n")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test",
                 "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                 "-days", days, "-extfile", extensions, "-out", certificate)
        return certificate, key
