"""A connection to Latchkey, as the environment describes it.

LATCHKEY_ADDRESS is host:port. With TLS if LATCHKEY_TLS_CA names a file, and with the certificate of
LATCHKEY_TLS_CERTIFICATE and LATCHKEY_TLS_KEY if they do.
"""

import json
import os
from pathlib import Path

import grpc
import grpc.aio

# Validate is asked again while the answer is UNAVAILABLE. So may be what changes something, if it carries a request_id.
_SERVICE_CONFIG = json.dumps({"methodConfig": [{"name": [{"service": "latchkey.v1.ValidationService"}], "retryPolicy": {
    "maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]})
_OPTIONS = [("grpc.service_config", _SERVICE_CONFIG)]


def connect(library=grpc):
    """A channel of grpc or of grpc.aio; it connects with the first call. One is enough for the life of the process: it
    carries any number of calls at once and comes back by itself when the server does."""
    address, authority = os.environ["LATCHKEY_ADDRESS"], os.environ.get("LATCHKEY_TLS_CA")
    if not authority:
        return library.insecure_channel(address, _OPTIONS)
    certificate, key = os.environ.get("LATCHKEY_TLS_CERTIFICATE"), os.environ.get("LATCHKEY_TLS_KEY")
    credentials = grpc.ssl_channel_credentials(
        Path(authority).read_bytes(), key and Path(key).read_bytes(), certificate and Path(certificate).read_bytes())
    return library.secure_channel(address, credentials, _OPTIONS)


def bearer(secret):
    """The metadata that names the caller."""
    return (("authorization", f"Bearer {secret}"),)
