"""Round trips to PostgreSQL of every method, against the three that a call needs: who asks, the work, the commit

Counted on the wire by a tap, once the connection has prepared its statements, so the same on every machine.
"""

from figures import Figure
from latchkey_test import Stage, Deployment, contract
from latchkey_test.tap import Tap, trips_of_last_call

_LEAST = 3


def run(world):
    deployment = Deployment(world.postgres())
    deployment.prepare()
    with Tap(deployment.url) as tap:
        deployment.server = deployment.beside(database_url=tap.url, workers=1, log_level="warning")
        with deployment, Stage(deployment) as stage:
            return [_count(method, stage, tap) for method in contract.served_methods()]


def _count(method, stage, tap):
    stage.caller(method).call(method, stage.request(method))
    request = stage.request(method)
    tap.take()
    stage.caller(method).call(method, request)
    trips = trips_of_last_call(tap.take())
    statements = sum(len(trip.statements) for trip in trips)
    return Figure("trips", f"{method.name}, {statements} statements", [len(trips)], [_LEAST], "least", "trips", 4 / 3)
