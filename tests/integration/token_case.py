"""What test cases about access tokens have in common."""

import concurrent.futures
import datetime

import grpc

from latchkey_test import CallCase, Client, Deployment, stubs, uuid_of_id
from latchkey_test.row_lock import RowLock
from latchkey_test.waiting import wait_until

token_pb2 = stubs.messages("latchkey/v1/token.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")
validation_pb2 = stubs.messages("latchkey/v1/validation.proto")

API, UI = decision_pb2.CHANNEL_API, decision_pb2.CHANNEL_UI
DAY = 24 * 60 * 60
DENIED = grpc.StatusCode.PERMISSION_DENIED
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
ABSENT = "tok_00000000000000000000000000"


def seconds_from_now(seconds):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)


class TokenCase(CallCase):
    """On latchkey-token alone, unless `server` names another program; `settings` are its settings."""

    server = "latchkey-token"
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(server=cls.server, log_level="debug", **cls.settings)
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.client = cls.deployment.administrator()
        cls.addClassCleanup(cls.client.close)

    def create(self, client=None, **fields):
        """A token that is like the least that is needed but for these fields."""
        request = token_pb2.CreateAccessTokenRequest(label=fields.pop("label", "of a test"))
        for name in ("not_before", "expires_at"):
            if isinstance(fields.get(name), datetime.datetime):
                getattr(request, name).FromDatetime(fields.pop(name).replace(tzinfo=None))
        request.MergeFrom(token_pb2.CreateAccessTokenRequest(**fields))
        return (client or self.client).tokens.CreateAccessToken(request, timeout=20)

    def get(self, token_id, client=None):
        request = token_pb2.GetAccessTokenRequest(token_id=token_id)
        return (client or self.client).tokens.GetAccessToken(request, timeout=10).access_token

    def list(self, **fields):
        return self.client.tokens.ListAccessTokens(token_pb2.ListAccessTokensRequest(**fields), timeout=20)

    def list_ids(self, **fields):
        """All pages, small ones."""
        ids, page_token = [], ""
        while True:
            page = self.list(page_size=3, page_token=page_token, **fields)
            self.assertLessEqual(len(page.access_tokens), 3)
            ids += [token.token_id for token in page.access_tokens]
            page_token = page.next_page_token
            if not page_token:
                return ids

    def deactivate(self, token_id, client=None, **fields):
        request = token_pb2.DeactivateAccessTokenRequest(token_id=token_id, **fields)
        return (client or self.client).tokens.DeactivateAccessToken(request, timeout=20)

    def caller_of(self, secret):
        return Client(self.deployment.server.address, secret)

    # ---- changes ----

    def update(self, token_id, *mask, client=None, force=False, request_id="", wait=0, **fields):
        """UpdateAccessToken with this mask; the answer's token."""
        request = token_pb2.UpdateAccessTokenRequest(force=force, request_id=request_id, update_mask={"paths": mask})
        request.wait_for_validators.seconds = wait
        expires_at = fields.pop("expires_at", None)
        request.access_token.MergeFrom(token_pb2.AccessToken(token_id=token_id, **fields))
        if expires_at:
            request.access_token.expires_at.FromDatetime(expires_at.replace(tzinfo=None))
        return (client or self.client).tokens.UpdateAccessToken(request, timeout=20).access_token

    def suspend(self, token_id, until=None, client=None, **fields):
        request = token_pb2.SuspendAccessTokenRequest(token_id=token_id, **fields)
        if until:
            request.until.FromDatetime(until.replace(tzinfo=None))
        return (client or self.client).tokens.SuspendAccessToken(request, timeout=20).access_token

    def resume(self, token_id, client=None, **fields):
        request = token_pb2.ResumeAccessTokenRequest(token_id=token_id, **fields)
        return (client or self.client).tokens.ResumeAccessToken(request, timeout=20).access_token

    def rotate(self, token_id, grace=0, client=None, **fields):
        request = token_pb2.RotateAccessTokenRequest(token_id=token_id, **fields)
        request.grace.seconds = grace
        return (client or self.client).tokens.RotateAccessToken(request, timeout=20)

    def deactivate_many(self, client=None, **fields):
        request = token_pb2.DeactivateAccessTokensRequest(**fields)
        return (client or self.client).tokens.DeactivateAccessTokens(request, timeout=50)

    def uuid_of(self, token):
        return uuid_of_id(token.token_id)

    def expire(self, made):
        """What has expired can only be made to have: no clock of the server's moves for a test."""
        self.deployment.execute("UPDATE latchkey.token SET expires_at = now() - interval '1 s' "
                                f"WHERE token_id = '{self.uuid_of(made.access_token)}'")

    # ---- who waited is asked again ----

    def make_behind_a_lock(self, make, change):
        """make(client) of a caller that is admitted, and whose row is changed before that of its company is free again."""
        caller = self.create(permissions=["latchkey.tokens.manage", "charges.*"])
        with self.caller_of(caller.secret) as client, concurrent.futures.ThreadPoolExecutor(1) as threads, \
                RowLock(self.deployment, "company WHERE is_demo", "UPDATE") as lock:
            waiting = threads.submit(make, client)
            lock.wait_for_others(1)
            lock.release(f"UPDATE latchkey.token SET {change} WHERE token_id = '{self.uuid_of(caller.access_token)}'")
            return waiting.result()

    # ---- who a secret is ----

    def call_with(self, secret):
        """GetCaller with that secret."""
        with self.caller_of(secret) as client:
            return client.tokens.GetCaller(token_pb2.GetCallerRequest(), timeout=10).caller

    def assert_dead(self, secret, reason):
        self.assert_refused(grpc.StatusCode.UNAUTHENTICATED, reason, lambda: self.call_with(secret))

    def set_policy(self, **columns):
        """The demo company's policy, by the names of its columns; back to none when the test ends."""
        def run(values):
            assignments = ", ".join(f"{name} = {value}" for name, value in values.items())
            self.deployment.execute(f"UPDATE latchkey.company SET {assignments} WHERE is_demo")
        run(columns)
        self.addCleanup(run, {name: {"require_expiry": "false", "leak_action": 0, "reuse_action": 0}.get(name, "NULL")
                              for name in columns})


class ValidatedCase(TokenCase):
    """On latchkeyd: what TokenService changes, its validator follows."""

    server = "latchkeyd"

    def wait_for(self, condition):
        wait_until(condition, 20, "the validator to have seen it")

    def decide(self, secret, ip="127.0.0.1", channel=API, domain="", permissions=()):
        """The name of Validate's reason."""
        request = validation_pb2.ValidateRequest(token=secret, channel=channel, client_ip=ip, domain=domain,
                                                 permissions=permissions)
        answer = self.client.validation.Validate(request, timeout=10)
        return decision_pb2.Reason.Name(answer.reason).removeprefix("REASON_")
