"""Health and reflection as their protocols say (WIRE.md, point 62)."""

import unittest

import grpc

from latchkey_test import Deployment, stubs

health_pb2 = stubs.messages("grpc/health/v1/health.proto")
reflection_pb2 = stubs.messages("grpc/reflection/v1/reflection.proto")

STATUS = health_pb2.HealthCheckResponse
UNKNOWN = health_pb2.HealthCheckRequest(service="no.such.Service")


class HealthAndReflection(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = cls.enterClassContext(Deployment(server="latchkey-token"))
        cls.client = cls.enterClassContext(cls.deployment.anybody())

    def test_point_62_a_known_service_is_serving(self):
        for service in ("", "latchkey.v1.TokenService"):
            answer = self.client.health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            self.assertEqual(answer.status, STATUS.SERVING)

    def test_point_62_check_of_an_unknown_service_is_not_found(self):
        with self.assertRaises(grpc.RpcError) as refused:
            self.client.health.Check(UNKNOWN, timeout=10)
        self.assertEqual(refused.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_point_62_watch_of_an_unknown_service_says_so_and_stays_open(self):
        watch = self.client.health.Watch(UNKNOWN, timeout=1)
        self.assertEqual(next(watch).status, STATUS.SERVICE_UNKNOWN)
        with self.assertRaises(grpc.RpcError) as ended:
            next(watch)
        self.assertEqual(ended.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_point_62_reflection_is_served_as_v1_and_v1alpha(self):
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = []
        for version in ("v1", "v1alpha"):
            call = self.client.channel.stream_stream(
                f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
                response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
            answers.append([service.name for service in next(call(iter([request]), timeout=10))
                            .list_services_response.service])
        self.assertEqual(*answers)
        self.assertIn("latchkey.v1.TokenService", answers[0])


if __name__ == "__main__":
    unittest.main()
