"""500 validators that are fed cost the database one: a lean client holds as many streams as a feeder may have, beside some
real processes. What the feeder's processor had to do for each change is printed, not judged.
"""

import asyncio
import os
import random
import unittest
import uuid
from pathlib import Path

import grpc

from latchkey_test import CallCase, Client, FedServer, PrivatePostgres, stubs
from latchkey_test.waiting import wait_until

from system import System

feed_pb2 = stubs.messages("latchkey/v1/feed.proto")
validation_grpc = stubs.services("latchkey/v1/validation.proto")

STREAMS = 500
CHANGES = 20
CALLS = ("SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid"
         " WHERE r.rolname = 'latchkey_validator'")
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'latchkey-validator%'"
# Polls are few beside what is counted here: changes wake the feeder.
SLOW = {"poll_interval": "2s", "max_staleness": "1m"}


class Fed:
    """One stream: tells what it has applied, and asks for time, as a validator does."""

    def __init__(self, stub, metadata):
        self.positions = {}
        self._call = stub.WatchChanges(metadata=metadata)
        self._is_awaited = False

    async def run(self, on_applied):
        await self._call.write(feed_pb2.WatchChangesRequest(instance="one of many", instance_id=uuid.uuid4().bytes, format=1))
        async for response in self._call:
            self._is_awaited = self._is_awaited and not response.nonce
            if response.applied:
                self.positions.update((change.lane, (change.seq, change.mark)) for change in response.applied)
                await self._tell()
                on_applied()

    async def _tell(self):
        nonce = 0 if self._is_awaited else random.randrange(1, 2**64)
        self._is_awaited = True
        await self._call.write(feed_pb2.WatchChangesRequest(nonce=nonce, positions=told(self.positions)))

    async def leave(self):
        """In order: it serves no more, so nobody waits for it."""
        await self._call.done_writing()


def told(positions):
    return [feed_pb2.LanePosition(lane=lane, seq=seq, mark=mark) for lane, (seq, mark) in positions.items()]


class Crowd:
    """So many streams, on one connection."""

    def __init__(self, address, secret, count):
        self._metadata = (("authorization", f"Bearer {secret}"),)
        self._channel = grpc.aio.insecure_channel(address)
        self.stub = validation_grpc.ValidationServiceStub(self._channel)
        self._fed = [Fed(self.stub, self._metadata) for _ in range(count)]
        self._news = asyncio.Event()
        self._tasks = [asyncio.create_task(fed.run(self._news.set)) for fed in self._fed]

    async def until_all_have(self, lane, seq):
        while not all(fed.positions.get(lane, (0, 0))[0] >= seq for fed in self._fed):
            self._check()
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 60)

    def _check(self):
        for task in self._tasks:
            if task.done():
                task.result()
                raise AssertionError("a feed has ended")

    async def check_history(self):
        """All of them, as after a feeder was started again."""
        answers = await asyncio.gather(*(self.stub.CheckHistory(feed_pb2.CheckHistoryRequest(
            report_id=uuid.uuid4().bytes, instance="one of many", positions=told(fed.positions)),
            metadata=self._metadata, timeout=60) for fed in self._fed))
        return {answer.standing for answer in answers}

    async def close(self):
        await asyncio.gather(*(fed.leave() for fed in self._fed), return_exceptions=True)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._channel.close()


def cpu_ms(process):
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


class Many(CallCase):
    def count(self, system, statement):
        return system.deployment.execute(statement)[0][0]

    def change(self, system):
        """Commits one, and tells the validators as a server does; its lane and number."""
        system.deployment.execute("UPDATE latchkey.company SET name = name || '.' WHERE is_demo; NOTIFY latchkey_change")
        return system.deployment.execute("SELECT l.lane, l.head FROM latchkey.change_lane l JOIN latchkey.company c"
                                         " ON l.lane = latchkey.company_lane(c.company_id) WHERE c.is_demo")[0]

    async def follow(self, system, feeder, count):
        """(statements at the database, milliseconds of the feeder's processor) of CHANGES that so many follow."""
        crowd = Crowd(feeder.address, system.deployment.secrets["LATCHKEY_OPERATOR_TOKEN"], count)
        try:
            await crowd.until_all_have(*self.change(system))
            calls, spent = self.count(system, CALLS), cpu_ms(feeder.pid)
            for _ in range(CHANGES):
                await crowd.until_all_have(*self.change(system))
            calls, spent = self.count(system, CALLS) - calls, cpu_ms(feeder.pid) - spent
            before = self.count(system, CALLS)
            self.assertEqual(await crowd.check_history(), {feed_pb2.HISTORY_STANDING_KEPT})
            self.assertLess(self.count(system, CALLS) - before, STREAMS // 10)
            return calls, spent
        finally:
            await crowd.close()

    def test_five_hundred_that_are_fed_cost_the_database_one(self):
        with PrivatePostgres(shared_preload_libraries="pg_stat_statements") as postgres, \
             System(validators=1, postgres=postgres, **SLOW) as system:
            system.deployment.execute("CREATE EXTENSION pg_stat_statements")
            feeder, = system.validators
            real = [self.enterContext(FedServer(system.deployment, feeder.address)) for _ in range(3)]
            connections = self.count(system, CONNECTIONS)
            few, few_ms = asyncio.run(self.follow(system, feeder, 1))
            many, many_ms = asyncio.run(self.follow(system, feeder, STREAMS))
            print(f"{CHANGES} changes: {few} statements and {few_ms:.0f} ms for 1 that is fed, {many} and {many_ms:.0f} ms for "
                  f"{STREAMS}: {(many_ms - few_ms) / CHANGES / STREAMS * 1000:.1f} us for each and change", flush=True)
            self.assertLess(many, STREAMS)  # less than one for each of them, in all changes together
            self.assertEqual(self.count(system, CONNECTIONS), connections)
            made = system.create()
            for fed in real:
                with Client(fed.address) as fed.client:
                    wait_until(lambda fed=fed: system.ask(fed, made.secret) == "OK", 30, "a real one to follow")


if __name__ == "__main__":
    unittest.main()
