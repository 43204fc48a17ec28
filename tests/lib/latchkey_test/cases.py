"""What test cases about calls have in common."""

import unittest
import uuid

import grpc

from .client import error_info, field_violations

_TYPEID_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


class CallCase(unittest.TestCase):
    """A test case that knows what a refusal must look like."""

    @classmethod
    def enter(cls, context):
        """What a block of it would have; it is left when the class's tests are done."""
        return cls.enterClassContext(context)

    def assert_refused(self, code, reason, call):
        """The grpc.RpcError of a call that must fail like this."""
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        error = caught.exception
        info = error_info(error)
        self.assertEqual((error.code(), info and info.reason), (code, reason), error.details())
        self.assertEqual(info.domain, "latchkey.dev")
        return error

    def assert_bad_fields(self, call, *fields):
        """Field -> sentence, of a call that must be refused for exactly these fields."""
        error = self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", call)
        violations = field_violations(error)
        self.assertEqual(sorted(violations), sorted(fields), violations)
        return violations


def id_of_uuid(prefix, number):
    """The TypeID of a UUID."""
    digits = "".join(_TYPEID_DIGITS[number.int >> shift & 31] for shift in range(125, -1, -5))
    return f"{prefix}_{digits}"


def uuid_of_id(typeid):
    """The UUID of a TypeID, as text for SQL."""
    number = 0
    for character in typeid.split("_")[1]:
        number = number << 5 | _TYPEID_DIGITS.index(character)
    return str(uuid.UUID(int=number & (1 << 128) - 1))
