"""A secret that is used after the grace of its rotation: told to the audit log, and the end of the token where the company's
policy says so. Seen by validators and by management calls."""

import json
import unittest

from token_case import DAY, ValidatedCase, token_pb2

WAIT = {"seconds": 20}


class Reuse(ValidatedCase):
    settings = {"token_reuse_interval": "20ms", "use_flush_interval": "100ms"}

    def rotated(self, **fields):
        """(token id, the spent secret, the present one)."""
        made = self.create(wait_for_validators=WAIT, **fields)
        token_id = made.access_token.token_id
        return token_id, made.secret, self.rotate(token_id, wait_for_validators=WAIT).secret

    def events(self, token_id, action="token.reused"):
        rows = self.deployment.execute("SELECT after::text, actor_system FROM latchkey.audit_event WHERE object_id = "
                                       f"'{token_id}' AND action = '{action}' ORDER BY number")
        return [(json.loads(after), actor) for after, actor in rows]

    def wait_for_events(self, token_id, count=1):
        self.wait_for(lambda: len(self.events(token_id)) >= count)
        return self.events(token_id)

    def test_the_validator_refuses_a_spent_secret_and_the_log_is_told(self):
        token_id, spent, present = self.rotated()
        self.assertEqual(self.decide(spent, "192.0.2.77"), "EXPIRED")
        (event, actor), = self.wait_for_events(token_id)
        self.assertTrue(spent.endswith(event["hint"][-4:]))
        self.assertTrue(event["used_by"].startswith("tok_"))  # who asked the validator
        self.assertEqual(actor, "rotation")
        self.assertNotIn(spent, json.dumps(event))
        self.assertEqual(self.decide(present), "OK")

    def test_a_management_call_with_a_spent_secret_is_told_too(self):
        token_id, spent, _ = self.rotated()
        self.assert_dead(spent, "EXPIRED")
        self.wait_for_events(token_id)

    def test_the_first_rotation_but_one_counts_as_well(self):
        token_id, spent, present = self.rotated()
        newest = self.rotate(token_id, wait_for_validators=WAIT).secret
        self.decide(spent)
        self.wait_for_events(token_id)
        self.decide(present)
        self.wait_for_events(token_id, 2)
        self.assertEqual(self.decide(newest), "OK")

    def test_the_policy_can_end_the_token(self):
        self.set_policy(reuse_action=2)
        token_id, spent, present = self.rotated()
        self.decide(spent)
        self.wait_for(lambda: self.decide(present) == "DEACTIVATED")
        token = self.get(token_id)
        self.assertEqual((token.state, token.deactivate_reason), (token_pb2.TOKEN_STATE_DEACTIVATED,
                                                                 token_pb2.DEACTIVATE_REASON_POLICY))
        self.assertIn("rotation", token.deactivate_note)
        self.assertEqual(len(self.events(token_id)), 1)
        self.assertEqual(len(self.events(token_id, "token.deactivated")), 1)

    def test_a_secret_in_its_grace_is_no_reuse(self):
        made = self.create(wait_for_validators=WAIT)
        token_id = made.access_token.token_id
        self.rotate(token_id, grace=DAY, wait_for_validators=WAIT)
        self.assertEqual(self.decide(made.secret), "OK")
        self.wait_for(lambda: self.get(token_id).HasField("last_used_at"))
        self.assertEqual(self.events(token_id), [])

    def test_a_token_that_has_expired_by_itself_is_no_reuse(self):
        marker, spent, _ = self.rotated()
        made = self.create(expire_in={"seconds": DAY}, wait_for_validators=WAIT)
        self.expire(made)
        self.assert_dead(made.secret, "EXPIRED")
        self.decide(spent)
        self.wait_for_events(marker)  # what was noted after it has been worked off
        self.assertEqual(self.events(made.access_token.token_id), [])

    def test_a_secret_that_is_used_all_the_time_is_told_once_an_hour(self):
        token_id, spent, _ = self.rotated()
        for _ in range(5):
            self.decide(spent)
            self.assert_dead(spent, "EXPIRED")
        self.wait_for_events(token_id)
        uuid = self.deployment.execute(
            f"SELECT token_id::text FROM latchkey.token_reuse WHERE token_id = '{self.uuid_of_id(token_id)}'")[0][0]
        marker, other, _ = self.rotated()
        self.decide(other)
        self.wait_for_events(marker)
        self.assertEqual(len(self.events(token_id)), 1)
        # An hour later, and it was used again.
        self.deployment.execute("UPDATE latchkey.token_reuse SET told_at = now() - interval '61 min', last_used_at = now() "
                                f"WHERE token_id = '{uuid}'")
        self.wait_for_events(token_id, 2)

    def uuid_of_id(self, token_id):
        return self.uuid_of(token_pb2.AccessToken(token_id=token_id))

    def test_what_was_deactivated_is_told_no_more(self):
        token_id, spent, _ = self.rotated()
        self.deactivate(token_id, wait_for_validators=WAIT)
        self.assertEqual(self.decide(spent), "DEACTIVATED")
        self.assert_dead(spent, "DEACTIVATED")
        self.assertEqual(self.deployment.execute(
            f"SELECT count(*) FROM latchkey.token_reuse WHERE token_id = '{self.uuid_of_id(token_id)}'"), [(0,)])


class Forgetting(ValidatedCase):
    settings = {"spent_secret_kept": "0"}

    def test_what_has_been_spent_for_long_enough_is_unknown_again(self):
        made = self.create(wait_for_validators=WAIT)
        present = self.rotate(made.access_token.token_id, wait_for_validators=WAIT)
        self.assertEqual(self.decide(made.secret), "EXPIRED")
        # The job runs when the server starts.
        self.deployment.server.stop()
        self.deployment.server.start()
        self.wait_for(lambda: self.decide(made.secret) == "UNKNOWN")
        self.assertEqual(self.decide(present.secret), "OK")
        self.assert_dead(made.secret, "UNKNOWN")
        left = self.deployment.execute("SELECT count(*) FROM latchkey.token_secret WHERE rotated_at IS NOT NULL")
        self.assertEqual(left, [(0,)])


if __name__ == "__main__":
    unittest.main()
