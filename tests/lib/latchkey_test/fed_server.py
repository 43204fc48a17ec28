"""A validator that is fed by another, as a running process without a way to the database."""

import tempfile
from pathlib import Path

from .server import Server


class FedServer(Server):
    """Knows the upstream by the operator's token, unless `secret` is another one."""

    def __init__(self, deployment, upstream, secret=None, program="latchkey-validator", **settings):
        self._token_directory = tempfile.TemporaryDirectory(prefix="latchkey-token-")
        token = Path(self._token_directory.name) / "token"
        token.write_text((secret or deployment.secrets["LATCHKEY_OPERATOR_TOKEN"]) + "\n")
        super().__init__(program, environment={"LATCHKEY_DATABASE_URL": "host=/nowhere dbname=nothing"},
                         upstream=upstream, upstream_token_file=token, **settings)

    def remove(self):
        try:
            super().remove()
        finally:
            self._token_directory.cleanup()
