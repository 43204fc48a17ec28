"""Real parts for the integration tests: a private PostgreSQL, our own servers, generated stubs to call them with.

    from latchkey_test import Client, PrivatePostgres, Server, shared_postgres
"""

from . import connect, contract, secret_text
from .cases import CallCase, id_of_uuid, uuid_of_id
from .client import Client, error_info, field_violations, retry_info
from .command_line import run_latchkey
from .deployment import Deployment
from .fed_server import FedServer
from .paths import BUILD, ROOT, foreign_client, program
from .ports import free_port
from .postgres import PrivatePostgres, StandbyPostgres, both_urls, shared_postgres
from .server import Server, ServerFailed
from .stage import QUIET, Stage, missing_requests

__all__ = [
    "BUILD", "ROOT", "CallCase", "Client", "Deployment", "FedServer", "PrivatePostgres", "QUIET", "Server", "ServerFailed", "Stage",
    "StandbyPostgres", "both_urls", "connect", "contract", "error_info", "field_violations", "foreign_client", "free_port", "id_of_uuid", "missing_requests", "program", "retry_info",
    "run_latchkey", "secret_text", "shared_postgres", "uuid_of_id",
]
