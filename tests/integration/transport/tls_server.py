"""A server of tests/programs that speaks TLS, and clients whose TLS can be told in detail."""

import ssl
import unittest

from latchkey_test.authority import Authority
from latchkey_test.waiting import wait_until
from transport import Connection, TransportServer


def client_context(authority, issued=None, protocols=("h2",), version=None, ciphers=None):
    """Trusts `authority`, shows `issued`; `version` is the only one it speaks, `ciphers` those of TLS 1.2."""
    context = ssl.create_default_context(cafile=authority.certificate)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if version:
        context.minimum_version = ssl.TLSVersion.TLSv1  # else the order of the next two matters
        context.maximum_version = version
        context.minimum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    if issued:
        context.load_cert_chain(issued.certificate, issued.key)
    return context


class TlsServer(TransportServer):
    """`with TlsServer(authority) as server:`; its certificate is for localhost and 127.0.0.1."""

    def __init__(self, authority, issued=None, name="call-server", **settings):
        self.authority = authority
        self.issued = issued or authority.issue("server", ["DNS:localhost", "IP:127.0.0.1"])
        self.context = client_context(authority)
        super().__init__(name, tls_certificate=self.issued.certificate, tls_key=self.issued.key, **settings)

    def connect(self, context=None, session=None):
        plain = self.connect_plain()
        try:
            return (context or self.context).wrap_socket(plain, server_hostname="localhost", session=session)
        except BaseException:
            plain.close()
            raise


class Client(Connection):
    """A connection with its own idea of TLS."""

    def __init__(self, server, context=None, session=None):
        self._context, self._session = context, session
        self._server = server
        super().__init__(self)

    def connect(self):
        return self._server.connect(self._context, self._session)


def call_once(server, context=None, session=None):
    """One call on a connection of its own. The session to go on from, and whether this one went on from `session`."""
    with Client(server, context, session) as connection:
        answer = connection.call("Raw")
        if dict(answer.trailers).get("grpc-status") != "0":
            raise AssertionError(answer.trailers)
        return connection.socket.session, connection.socket.session_reused


def is_refused(server, context=None):
    """Whether TLS does not come about; TLS 1.3 tells a client only when it reads."""
    try:
        call_once(server, context)
    except (ssl.SSLError, ConnectionError, AssertionError) as error:
        if isinstance(error, AssertionError) and "no end of stream" not in str(error):
            raise
        return True
    return False


def count(server, reason, number=1):
    """Waits until so many connections have been closed for that reason."""
    wait_until(lambda: server.counters()[reason] >= number, 20, f"{number} connections closed as {reason}")


class TlsCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = cls.enterClassContext(Authority())

    def serve(self, **settings):
        return self.enterContext(TlsServer(self.authority, **settings))
