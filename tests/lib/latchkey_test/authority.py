"""Certificate authorities of a test, made by the openssl command in a directory that goes with them.

    with Authority() as authority:
        server = authority.issue("server", ["DNS:localhost", "IP:127.0.0.1"])
        Server("latchkeyd", tls_certificate=server.certificate, tls_key=server.key)
"""

import datetime
import shutil
import subprocess
import tempfile
from pathlib import Path

_CONFIGURATION = """
[ca]
default_ca = this
[this]
database = {directory}/index.txt
new_certs_dir = {directory}
certificate = {directory}/ca.crt
private_key = {directory}/ca.key
serial = {directory}/serial
crlnumber = {directory}/crlnumber
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
"""
_KEYS = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments[0]} failed:\n{done.stderr}")


def _time(moment):
    return moment.strftime("%Y%m%d%H%M%SZ")


class Issued:
    """A certificate with its key: paths, as text."""

    def __init__(self, certificate, key):
        self.certificate = str(certificate)
        self.key = str(key)

    @property
    def pem(self):
        return Path(self.certificate).read_bytes(), Path(self.key).read_bytes()


class Authority:
    """A root; of another authority, with `parent`."""

    def __init__(self, name="Test root", parent=None, key="ec"):
        self.directory = Path(tempfile.mkdtemp(prefix="latchkey-authority-"))
        self._configuration = self.directory / "ca.cnf"
        self._configuration.write_text(_CONFIGURATION.format(directory=self.directory))
        (self.directory / "index.txt").touch()
        (self.directory / "serial").write_text("1000")
        (self.directory / "crlnumber").write_text("1000")
        self._count = 0
        if parent:
            issued = parent.issue(name, [], extensions=["basicConstraints=critical,CA:true"], key=key)
            shutil.copy(issued.certificate, self.directory / "ca.crt")
            shutil.copy(issued.key, self.directory / "ca.key")
        else:
            _openssl("req", "-x509", "-newkey", *_KEYS[key], "-nodes", "-days", 30, "-subj", f"/CN={name}",
                     "-config", self._configuration, "-addext", "basicConstraints=critical,CA:true",
                     "-keyout", self.directory / "ca.key", "-out", self.directory / "ca.crt")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def certificate(self):
        return str(self.directory / "ca.crt")

    def issue(self, name, alternative_names, usage=None, extensions=(), key="ec", ends_in_s=86400, began_s_ago=3600):
        """A certificate for "DNS:...", "URI:...", "IP:..."; `usage` is clientAuth or serverAuth, None for any."""
        self._count += 1
        base = self.directory / f"{self._count}"
        lines = list(extensions) or ["basicConstraints=critical,CA:false"]
        if alternative_names:
            lines.append("subjectAltName=" + ",".join(alternative_names))
        if usage:
            lines.append(f"extendedKeyUsage={usage}")
        base.with_suffix(".ext").write_text("\n".join(lines) + "\n")
        _openssl("req", "-newkey", *_KEYS[key], "-nodes", "-subj", f"/CN={name}", "-config", self._configuration,
                 "-keyout", base.with_suffix(".key"), "-out", base.with_suffix(".csr"))
        now = datetime.datetime.now(datetime.timezone.utc)
        _openssl("ca", "-batch", "-notext", "-config", self._configuration, "-in", base.with_suffix(".csr"),
                 "-out", base.with_suffix(".crt"), "-extfile", base.with_suffix(".ext"),
                 "-startdate", _time(now - datetime.timedelta(seconds=began_s_ago)),
                 "-enddate", _time(now + datetime.timedelta(seconds=ends_in_s)))
        return Issued(base.with_suffix(".crt"), base.with_suffix(".key"))

    def revoke(self, issued):
        _openssl("ca", "-config", self._configuration, "-revoke", issued.certificate)

    def write_revocations(self, path):
        """The list of those that are revoked, current for an hour."""
        _openssl("ca", "-config", self._configuration, "-gencrl", "-crlhours", 1, "-out", path)
        return str(path)
