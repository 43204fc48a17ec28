"""What the cases about requests share: one server, a connection each, and gRPC's codes."""

import unittest

from transport import Connection, TransportServer

OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS = range(7)
RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL = 8, 9, 10, 11, 12, 13
UNAVAILABLE, DATA_LOSS = 14, 15
NO_ERROR, PROTOCOL_ERROR = 0, 1


class RequestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(TransportServer())

    def setUp(self):
        self.connection = Connection(self.server)
        self.addCleanup(self.connection.socket.close)

    def call(self, method="Echo", data=None, headers=(), **options):
        return self.connection.call(method, data, headers, **options)

    def assert_refused(self, answer, status):
        self.assertEqual(answer.http_status, 200)
        self.assertEqual(answer.status, status)
        self.assertTrue(answer.is_trailers_only)
        self.assertTrue(answer.field("content-type").startswith("application/grpc"))
        self.assertTrue(answer.field("grpc-status-details-bin"))
