"""What goes into a request, of every method and by the contract alone: hostile text comes back unchanged, and what no field
can mean is a bad field by its name. Nothing may end in an internal error, and the server lives on."""

import unittest

import grpc

from latchkey_test import QUIET, CallCase, Deployment, Stage, contract, field_violations

METHODS = contract.served_methods()
HOSTILE = (
    "'; DROP TABLE latchkey.token; --", "\" OR \"\"=\"", "$1 $2 %s %n {} ${HOME} `id` $(id)", "\\x00 \\' \\\\ \\",
    "<script>alert(1)</script>", "{\"a\": [1, null]}", "../../etc/passwd", "\u202eabc\u202c", "ä 中文 🔑 e\u0301",
    "a\tb", "%00%27", "NULL", "-- ", "/* */", "{1,2}", "=cmd|' /C calc'!A0",
)
# Texts of these names are kept as they are; others have a form (ids, addresses, permissions, times) or are for a look-up.
FREE_TEXT = {"label", "description", "note", "display_name", "name", "owner", "user_agent", "external_id"}
BAD_TIMES = ({"seconds": -62135596801}, {"seconds": 253402300800}, {"seconds": 2**63 - 1}, {"seconds": -2**63},
             {"nanos": -1}, {"nanos": 10**9})
BAD_DURATIONS = ({"seconds": 315576000001}, {"seconds": -315576000001}, {"seconds": 1, "nanos": -1}, {"nanos": 10**9},
                 {"seconds": 2**63 - 1})
# No list of the contract may be as long.
TOO_MANY = 10001
INPUT_REFUSALS = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.NOT_FOUND,
                  grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.PERMISSION_DENIED,
                  grpc.StatusCode.ABORTED}
NOT_ABOUT_THE_TEXT = {grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.PERMISSION_DENIED}


def fields_of(request, wanted):
    """(path, message that has it, field) of the fields that `wanted` picks."""
    return [(path, message, field) for path, message, field in contract.walk(request) if wanted(field)]


def is_of(field, type_name):
    return field.message_type is not None and field.message_type.full_name == f"google.protobuf.{type_name}"


class Input(CallCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(**QUIET)
        cls.deployment.__enter__()
        cls.addClassCleanup(cls.deployment.__exit__)
        cls.stage = Stage(cls.deployment)
        cls.addClassCleanup(cls.stage.close)

    def setUp(self):
        self.stage.confirm_publication()

    def tearDown(self):
        self.assertNotIn("sqlstate=42601", self.deployment.server.log(), "a syntax error: something was not a parameter")

    def attempt(self, method, request):
        """(answer, error), of which one is None; the error is a refusal of the input, never the server's failure. Of
        many things in one call, each with a result of its own, a refused one counts as no answer."""
        try:
            answer = self.stage.caller(method).call(method, request)
            return (None if self.has_error(answer) else answer), None
        except grpc.RpcError as error:
            self.assertIn(error.code(), INPUT_REFUSALS, error.details())
            return None, error

    @staticmethod
    def has_error(answer):
        results = getattr(answer, "results", [])
        return any(result.HasField("error") for result in results)

    def for_each_field(self, wanted, check):
        """check(method, request, path, message, field) for each such field, each time with a request of its own."""
        for method in METHODS:
            for at, (path, _, _) in enumerate(fields_of(self.stage.request(method), wanted)):
                with self.subTest(method.name, field=contract.path_text(path)):
                    check(method, lambda at=at, method=method: self.place(method, wanted, at))

    def place(self, method, wanted, at):
        """A new request, and its field; where an update must name what it changes, it names that."""
        request = self.stage.request(method)
        path, message, field = fields_of(request, wanted)[at]
        if "update_mask" in method.request.DESCRIPTOR.fields_by_name and len(path) > 1:
            request.update_mask.paths[:] = [path[1]]
        return request, path, message, field

    # ---- text ----

    def test_hostile_text_comes_back_unchanged(self):
        told = set()

        def check(method, place):
            for text in HOSTILE:
                request, path, message, field = place()
                setattr(message, field.name, text)
                answer, error = self.attempt(method, request)
                if error is not None:
                    self.assertTrue(error.code() in NOT_ABOUT_THE_TEXT or contract.path_text(path) in
                                    field_violations(error) or "update_mask" in str(field_violations(error)), error.details())
                elif answer is not None and method.is_change and self.shows(answer, field.name):
                    self.assertIn(text, list(self.values(answer, field.name)))
                    told.add(field.name)

        self.for_each_field(lambda field: field.type == field.TYPE_STRING and field.name in FREE_TEXT and
                            field.label != field.LABEL_REPEATED, check)
        self.assertLessEqual({"label", "description", "note", "display_name", "name", "external_id"}, told)

    def shows(self, answer, name):
        return any(field.name == name for _, _, field in contract.walk(answer))

    @staticmethod
    def values(answer, name):
        return (getattr(message, name) for _, message, field in contract.walk(answer) if field.name == name)

    def test_hostile_text_where_it_means_nothing_is_refused_or_finds_nothing(self):
        def check(method, place):
            for text in HOSTILE:
                request, _, message, field = place()
                if field.label == field.LABEL_REPEATED:
                    getattr(message, field.name).append(text)
                else:
                    setattr(message, field.name, text)
                self.attempt(method, request)

        self.for_each_field(lambda field: field.type == field.TYPE_STRING and field.name not in FREE_TEXT, check)

    def test_text_without_end_is_a_bad_field_or_finds_nothing(self):
        def check(method, place):
            request, _, message, field = place()
            setattr(message, field.name, "x" * 100_000)
            answer, _ = self.attempt(method, request)
            self.assertTrue(answer is None or not method.is_change or "x" * 100_000 not in str(answer))

        self.for_each_field(lambda field: field.type == field.TYPE_STRING and field.label != field.LABEL_REPEATED, check)

    # ---- times ----

    def check_bad(self, kind, values):
        def check(method, place):
            for value in values:
                request, path, message, field = place()
                getattr(message, field.name).CopyFrom(type(getattr(message, field.name))(**value))
                answer, error = self.attempt(method, request)
                self.assertTrue(answer is None or self.is_ignored(method, path), f"{value} was taken")
                if error is not None and error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                    named = str(list(field_violations(error)))
                    self.assertTrue(path[-1] in named or "update_mask" in named, named)

        self.for_each_field(lambda field: is_of(field, kind) and field.label != field.LABEL_REPEATED, check)

    @staticmethod
    def is_ignored(method, path):
        """Fields of a whitelist that only answers fill; and a wait may be longer than any server waits."""
        return method.name == "PreviewWhitelist" or path[-1] == "wait_for_validators"

    def test_times_out_of_range_are_bad_fields(self):
        self.check_bad("Timestamp", BAD_TIMES)

    def test_durations_out_of_range_are_bad_fields(self):
        self.check_bad("Duration", BAD_DURATIONS)

    # ---- lists and numbers ----

    def test_lists_without_end_are_refused(self):
        def check(method, place):
            request, _, message, field = place()
            values = getattr(message, field.name)
            first = values[0] if len(values) else None
            for number in range(TOO_MANY):
                if field.message_type is not None:
                    values.add().CopyFrom(first if first is not None else type(values.add())())
                else:
                    values.append(number if field.type == field.TYPE_ENUM else f"10.{number >> 8}.{number & 255}.1")
            answer, _ = self.attempt(method, request)
            self.assertIsNone(answer)

        self.for_each_field(lambda field: field.label == field.LABEL_REPEATED and
                            not (field.message_type is not None and field.message_type.GetOptions().map_entry), check)

    def test_empty_requests_are_answered_or_refused_by_field(self):
        for method in METHODS:
            with self.subTest(method.name):
                self.attempt(method, method.request())

    def test_numbers_that_no_enum_has_are_bad_fields_or_count_as_unset(self):
        def check(method, place):
            for number in (-1, 99, 2**31 - 1, -2**31):
                request, _, message, field = place()
                if field.label == field.LABEL_REPEATED:
                    getattr(message, field.name).append(number)
                else:
                    setattr(message, field.name, number)
                self.attempt(method, request)

        self.for_each_field(lambda field: field.type == field.TYPE_ENUM, check)


if __name__ == "__main__":
    unittest.main()
