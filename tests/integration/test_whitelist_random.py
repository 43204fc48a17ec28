"""Random sequences of whitelist calls beside a plain model: lists of entries in Python, and a pointer. After each step every list,
count and flag is the model's; now and then CheckIp and Validate are asked about addresses around the entries."""

import ipaddress
import os
import random
import unittest

import grpc

from latchkey_test import error_info, stubs
from latchkey_test.waiting import wait_until
from whitelist_case import WhitelistCase, whitelist_pb2

validation_pb2 = stubs.messages("latchkey/v1/validation.proto")
decision_pb2 = stubs.messages("latchkey/v1/decision.proto")

STEPS = 250
SHARE = int(os.environ.get("LATCHKEY_TEST_SHARE") or 100)


class List:
    """entry id -> (range, disabled, note)"""

    def __init__(self, entries=(), base=None):
        self.entries = dict(entries)
        self.edits = 0
        self.base = base  # (the list that was live, its edits) when it was begun

    def edit(self):
        self.edits += 1

    def holds(self, address):
        return any(address in network for network, disabled, _ in self.entries.values() if not disabled)


class Model:
    def __init__(self):
        self.live, self.previous, self.drafts = List(), None, {}

    def is_outdated(self, draft):
        return draft.base != (self.live, self.live.edits)


class RandomCalls(WhitelistCase):
    settings = {"whitelist_sweep": "100ms", "whitelist_confirm_check": "50ms"}

    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("LATCHKEY_SEED") or random.SystemRandom().randrange(2**32))
        print(f"LATCHKEY_SEED={seed}", flush=True)
        self.random = random.Random(seed)
        self.model = Model()
        self.operator = self.deployment.operator(self.get().company_id)
        self.addCleanup(self.operator.close)

    # ---- what is drawn ----

    def draw_network(self):
        """Crowded, so that ranges nest and repeat."""
        if self.random.random() < 0.2:
            return ipaddress.ip_network((0x20010db8 << 96 | self.random.getrandbits(3) << 64, self.random.randint(60, 68)),
                                        strict=False)
        return ipaddress.ip_network((10 << 24 | self.random.getrandbits(5), self.random.randint(26, 32)), strict=False)

    def draw_address(self):
        network = self.draw_network()
        return network[self.random.randrange(min(network.num_addresses, 64))]

    def draw_target(self):
        """(draft_id, list); the live one has no id."""
        return self.random.choice([("", self.model.live), *self.model.drafts.items()])

    def draw_ids(self, target, at_most):
        return self.random.sample(list(target.entries), min(len(target.entries), self.random.randint(1, at_most)))

    # ---- steps ----

    def is_refused(self, target, function):
        """A live list that waits for its confirmation must refuse."""
        if target is self.model.live and self.model.previous:
            self.assert_refused(grpc.StatusCode.FAILED_PRECONDITION, "CONFIRMATION_PENDING", function)
            return True
        return False

    def step_add(self):
        draft_id, target = self.draw_target()
        networks = [self.draw_network() for _ in range(self.random.randint(1, 4))]
        new = [{"address": str(network), "disabled": self.random.random() < 0.2} for network in networks]
        if self.is_refused(target, lambda: self.add(*new, draft_id=draft_id)):
            return
        answer = self.add(*new, draft_id=draft_id)
        told = {warning.index for warning in answer.warnings}
        present = [network for network, _, _ in target.entries.values()]
        for i, network in enumerate(networks):
            others = present + networks[:i] + [other for other in networks[i + 1:] if other != network]
            inside = any(network.version == other.version and network.subnet_of(other) for other in others)
            self.assertEqual(i in told, inside, network)
        for entry, network in zip(answer.entries, networks):
            target.entries[entry.entry_id] = (network, entry.disabled, "")
        target.edit()

    def step_remove(self):
        draft_id, target = self.draw_target()
        ids = self.draw_ids(target, 3)
        if not ids or self.is_refused(target, lambda: self.remove(*ids, draft_id=draft_id, force=True)):
            return
        self.assertEqual(self.remove(*ids, draft_id=draft_id, force=True).count, len(ids))
        for entry_id in ids:
            del target.entries[entry_id]
        target.edit()

    def step_change(self):
        draft_id, target = self.draw_target()
        for entry_id in self.draw_ids(target, 1):
            network, disabled, note = target.entries[entry_id]
            fields = self.random.choice(({"address": str(self.draw_network())}, {"disabled": not disabled},
                                         {"note": f"note {self.random.random()}"}))
            if self.is_refused(target, lambda: self.change(entry_id, draft_id=draft_id, force=True, **fields)):
                return
            entry = self.change(entry_id, draft_id=draft_id, force=True, **fields).entry
            is_new = (ipaddress.ip_network(entry.cidr), entry.disabled, entry.note) != (network, disabled, note)
            wanted = (ipaddress.ip_network(fields.get("address", network)), fields.get("disabled", disabled),
                      fields.get("note", note))
            target.entries[entry_id] = wanted
            if is_new or entry.address != str(network):
                target.edit()

    def step_begin(self):
        if len(self.model.drafts) >= 4:
            return
        empty = self.random.random() < 0.3
        draft = self.begin(empty=empty)
        self.model.drafts[draft.draft_id] = List({} if empty else self.model.live.entries,
                                                 (self.model.live, self.model.live.edits))

    def step_discard(self):
        if self.model.drafts:
            draft_id = self.random.choice(list(self.model.drafts))
            self.discard(draft_id)
            del self.model.drafts[draft_id]

    def step_publish(self):
        if not self.model.drafts:
            return
        draft_id, draft = self.random.choice(list(self.model.drafts.items()))
        within = self.random.choice((0, 3600))
        if self.model.previous:
            self.assert_refused(grpc.StatusCode.ABORTED, "CONFIRMATION_PENDING", self.publish, draft_id, force=True)
            return
        if self.model.is_outdated(draft) and self.random.random() < 0.5:
            self.assert_refused(grpc.StatusCode.ABORTED, "DRAFT_OUTDATED", self.publish, draft_id)
            return
        self.publish(draft_id, confirm_within=within, force=True)
        del self.model.drafts[draft_id]
        self.model.previous, self.model.live = (self.model.live if within else None), draft

    def step_confirm(self):
        address = self.draw_address()
        if not self.model.previous:
            self.refuse_confirmation("NOTHING_TO_CONFIRM", address)
        elif not self.model.live.holds(address):
            self.refuse_confirmation("COMPANY_IP_NOT_LISTED", address)
        else:
            self.confirm(address=str(address))
            self.model.previous = None

    def refuse_confirmation(self, reason, address):
        with self.assertRaises(grpc.RpcError) as caught:
            self.confirm(address=str(address))
        self.assertEqual(error_info(caught.exception).reason, reason)

    def step_return(self):
        """The time to confirm is over."""
        if not self.model.previous:
            return
        self.deployment.execute("UPDATE latchkey.whitelist SET confirm_by = now() WHERE confirm_by IS NOT NULL")
        wait_until(lambda: not self.get().HasField("confirm_by"), 20, "the list before to come back")
        self.model.live, self.model.previous = self.model.previous, None

    # ---- comparisons ----

    def compare(self):
        answer = self.call("GetWhitelist", whitelist_pb2.GetWhitelistRequest())
        self.assertEqual(answer.whitelist.entry_count, len(self.model.live.entries))
        self.assertEqual(answer.whitelist.HasField("confirm_by"), self.model.previous is not None)
        told = {draft.draft_id: (draft.entry_count, draft.outdated) for draft in answer.drafts}
        self.assertEqual(told, {draft_id: (len(draft.entries), self.model.is_outdated(draft))
                                for draft_id, draft in self.model.drafts.items()})
        for draft_id, wanted in (("", self.model.live), *self.model.drafts.items()):
            entries = self.list_page(draft_id=draft_id, page_size=1000).entries
            self.assertEqual({entry.entry_id: (ipaddress.ip_network(entry.cidr), entry.disabled, entry.note)
                              for entry in entries}, wanted.entries)

    def compare_decisions(self):
        """With the list on, which by force refuses even the caller: the operator switches it off again."""
        if not self.model.previous:
            revision = self.enable()
            for _ in range(10):
                address = self.draw_address()
                self.assertEqual(self.is_admitted(address, revision), self.model.live.holds(address), address)
            self.update(enabled=False, client=self.operator)
        for _ in range(10):
            address = self.draw_address()
            draft_id, target = self.draw_target()
            self.assertEqual(self.check(str(address), draft_id=draft_id).listed, target.holds(address), address)

    def enable(self):
        request = whitelist_pb2.UpdateWhitelistRequest(whitelist={"enabled": True}, update_mask={"paths": ["enabled"]}, force=True)
        return self.call("UpdateWhitelist", request, client=self.operator).revision

    def is_admitted(self, address, revision):
        request = validation_pb2.ValidateRequest(token=self.deployment.secrets["LATCHKEY_TOKEN"], channel=1,
                                                 client_ip=str(address), min_revision=revision)
        return self.client.validation.Validate(request, timeout=10).decision == decision_pb2.DECISION_ALLOW

    def test_every_list_is_the_model_s_after_every_call(self):
        steps = [self.step_add] * 5 + [self.step_remove] * 2 + [self.step_change] * 3 + [self.step_begin] * 2 + [
            self.step_discard, self.step_publish, self.step_publish, self.step_confirm, self.step_return]
        for number in range(max(STEPS * SHARE // 100, 20)):
            self.random.choice(steps)()
            self.compare()
            if number % 10 == 9:
                self.compare_decisions()


if __name__ == "__main__":
    unittest.main()
