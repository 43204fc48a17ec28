"""One company's data is never shown to another, nor touched, by any method: with row-level security, and without it, when
the application's own checks are all that is left. (The other way round: test_statements_apart.py.)"""

import re
import unittest
import uuid

import grpc

from latchkey_test import QUIET, CallCase, Deployment, Stage, contract, error_info, id_of_uuid, missing_requests
from latchkey_test.effect import rows_of
from latchkey_test.waiting import wait_until

ID = re.compile(r"\b(tok|mbr|rol|ent|dra|inv|cmp|aud)_[0-7][0-9a-hjkmnp-tv-z]{25}\b")
# Fields that hold an id of this kind and are empty in the table's requests: filters, and what may go along.
OPTIONAL_IDS = {"token_id": "tok", "member_id": "mbr", "transfer_tokens_to": "mbr", "role_id": "rol", "role_ids": "rol",
                "draft_id": "dra", "entries_removed": "ent", "object_id": "tok", "company_id": "cmp"}
METHODS = [method for method in contract.served_methods() if not method.is_open]
def ids_in(request):
    """(path, id) of every field and element that holds one."""
    for path, message, field in contract.walk(request):
        if field.type != field.TYPE_STRING:
            continue
        value = getattr(message, field.name)
        values = enumerate(value) if field.label == field.LABEL_REPEATED else [(None, value)]
        for index, text in values:
            if ID.fullmatch(text):
                yield (path if index is None else (*path, index)), text


def put(request, path, value):
    """Sets what `path` names; of a list that is too short, one more element."""
    *steps, last = path
    for step in steps[:-1] if isinstance(last, int) else steps:
        request = request[step] if isinstance(step, int) else getattr(request, step)
    if not isinstance(last, int):
        setattr(request, last, value)
        return
    elements = getattr(request, steps[-1])
    if last < len(elements):
        elements[last] = value
    else:
        elements.append(value)


def empty_ids(request):
    """(path, kind) of the fields that could hold an id and hold none."""
    for path, message, field in contract.walk(request):
        if field.name in OPTIONAL_IDS and not getattr(message, field.name):
            yield (*path, 0) if field.label == field.LABEL_REPEATED else path, OPTIONAL_IDS[field.name]


class Apart(CallCase):
    is_row_level_security_on = True

    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(**QUIET)
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.ours, cls.theirs = Stage(cls.deployment), Stage(cls.deployment, "Theirs Alone")
        for stage in (cls.ours, cls.theirs):
            cls.addClassCleanup(stage.close)
        # Their ids, by kind, and everything of theirs that an answer to us must not have in it.
        cls.their_ids = {}
        for method in METHODS:
            request = cls.theirs.request(method)
            cls.note_ids(request)
            if cls.theirs.caller(method) is not cls.theirs.operator_at_home:
                cls.note_ids(cls.theirs.caller(method).call(method, request))
        # What these name is still as the method needs it.
        cls.their_requests = {method.name: cls.theirs.request(method) for method in METHODS}
        if not cls.is_row_level_security_on:
            cls.switch_off_row_level_security()
        cls.wait_for_the_mailer()

    @classmethod
    def note_ids(cls, message):
        for match in ID.finditer(str(message)):
            cls.their_ids.setdefault(match[1], {})[match[0]] = None

    @classmethod
    def switch_off_row_level_security(cls):
        tables = cls.deployment.execute("SELECT relname FROM pg_class WHERE relnamespace = 'latchkey'::regnamespace"
                                        " AND relkind = 'r' AND relrowsecurity")
        for table, in tables:
            cls.deployment.execute(f"ALTER TABLE latchkey.{table} NO FORCE ROW LEVEL SECURITY")
            cls.deployment.execute(f"ALTER TABLE latchkey.{table} DISABLE ROW LEVEL SECURITY")

    @classmethod
    def wait_for_the_mailer(cls):
        """Which notes on their invitations that there is no mail server."""
        wait_until(lambda: cls.deployment.execute("SELECT count(*) FROM latchkey.mail_outbox WHERE state = 'q'")[0][0] == 0, 60,
                   "the mailer to give up")

    def their_rows(self):
        return rows_of(self.deployment.execute, self.theirs.company_id)

    def outcome(self, method, path, value):
        """What the method says when this is put into a valid request of ours; ids masked."""
        request = self.ours.request(method)
        put(request, path, value)
        try:
            answer = self.ours.caller(method).call(method, request)
        except grpc.RpcError as error:
            info = error_info(error)
            return error.code(), info and info.reason, ID.sub("ID", error.details()).replace(value, "ID")
        self.assert_nothing_of_theirs(answer, value)
        return grpc.StatusCode.OK, [len(getattr(answer, field.name)) for field in answer.DESCRIPTOR.fields
                                    if field.label == field.LABEL_REPEATED]

    def assert_nothing_of_theirs(self, answer, sent):
        """But for the very id that was sent, which an answer may repeat."""
        text = str(answer)
        self.assertNotIn("Theirs Alone", text)
        found = {match[0] for match in ID.finditer(text)} - {sent}
        self.assertFalse(found & {known for ids in self.their_ids.values() for known in ids}, text)

    def check_apart(self, method):
        """Put in the place of each id of ours, theirs is answered like one that is nobody's."""
        if self.ours.caller(method) is self.ours.operator_at_home:
            return  # who may see every company
        theirs = dict(ids_in(self.their_requests[method.name]))
        for path, kind in empty_ids(self.ours.request(method)):
            if kind in self.their_ids:
                theirs[path] = list(self.their_ids[kind])[-1]
        for path, their_id in theirs.items():
            with self.subTest(method.name, field=contract.path_text(path)):
                before = self.their_rows()
                nobodys_id = id_of_uuid(their_id[:3], uuid.UUID(bytes=b"\x01\x92\xf5\xc8" + uuid.uuid4().bytes[4:]))
                self.assertEqual(self.outcome(method, path, their_id), self.outcome(method, path, nobodys_id))
                self.assertEqual(self.their_rows(), before)

    def test_every_method_has_a_request_in_the_table(self):
        self.assertEqual(missing_requests(), [])

    def test_another_companys_id_is_answered_like_one_that_does_not_exist(self):
        for method in METHODS:
            self.check_apart(method)

    def test_a_valid_request_of_ours_shows_and_touches_nothing_of_theirs(self):
        for method in METHODS:
            if self.ours.caller(method) is self.ours.operator_at_home:
                continue
            with self.subTest(method.name):
                before = self.their_rows()
                answer = self.ours.caller(method).call(method, self.ours.request(method))
                self.assert_nothing_of_theirs(answer, "")
                self.assertEqual(self.their_rows(), before)


class ApartByTheApplicationAlone(Apart):
    is_row_level_security_on = False


if __name__ == "__main__":
    unittest.main()
