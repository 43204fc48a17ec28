"""SetPermissions: the deployment's part of the catalogue, which nothing that is granted falls out of."""

import json
import unittest
import uuid

from latchkey_test import error_info, uuid_of_id
from token_case import DENIED, PRECONDITION, ValidatedCase, token_pb2

WAIT = {"seconds": 20}
OWN = {"charges.create": "", "charges.read": "", "refunds.create": "", "customers.read": ""}


class Permissions(ValidatedCase):
    def setUp(self):
        self.operator = self.deployment.operator()
        self.addCleanup(self.operator.close)
        self.before = {p.name: p.description for p in self.catalogue() if not p.name.startswith("latchkey.")}
        self.addCleanup(self.restore)

    def restore(self):
        self.deployment.execute("UPDATE latchkey.token SET permissions = '{}' WHERE label = 'of a test'; "
                                "DELETE FROM latchkey.role WHERE name LIKE 'of a test%'")
        self.set(self.before)

    def catalogue(self):
        return self.operator.tokens.ListPermissions(token_pb2.ListPermissionsRequest(page_size=1000), timeout=10).permissions

    def granted(self, *permissions):
        """A token with grants that the administrator's own token, made before the permission was, does not hold."""
        made = self.create()
        grants = ",".join(permissions)
        self.deployment.execute(f"UPDATE latchkey.token SET permissions = '{{{grants}}}' "
                                f"WHERE token_id = '{self.uuid_of(made.access_token)}'")
        return made

    def set(self, names, client=None, **fields):
        permissions = [token_pb2.Permission(name=name, description=text) for name, text in dict(names).items()]
        return (client or self.operator).tokens.SetPermissions(
            token_pb2.SetPermissionsRequest(permissions=permissions, **fields), timeout=20)

    def test_the_catalogue_is_what_was_set_beside_what_is_fixed(self):
        wanted = {**OWN, "invoices.write": "Write invoices", "a.b_2.c": ""}
        answer = self.set(wanted)
        self.assertEqual([(p.name, p.description) for p in answer.permissions], sorted(wanted.items()))
        names = {p.name for p in self.catalogue()}
        self.assertLessEqual(set(wanted) | {"latchkey.operate", "latchkey.tokens.read"}, names)
        self.assertLessEqual({"invoices.write", "a.b_2.c"},
                             set(self.call_with(self.granted("invoices.write", "a.*").secret).permissions))

    def test_a_description_may_change_and_a_name_may_go(self):
        self.set({**OWN, "reports.read": "Read"})
        self.set({**OWN, "reports.read": "Read reports"})
        self.assertIn(("reports.read", "Read reports"), [(p.name, p.description) for p in self.catalogue()])
        self.set(OWN)
        self.assertNotIn("reports.read", [p.name for p in self.catalogue()])
        self.assert_bad_fields(lambda: self.create(permissions=["reports.read"]), "permissions[0]")

    def test_what_is_still_granted_stays_and_its_holders_are_named(self):
        made = [self.create(permissions=["refunds.create"]).access_token.token_id for _ in range(3)]
        with self.deployment.operator() as other:
            elsewhere = self.create(other, permissions=["refunds.create", "charges.read"]).access_token.token_id
        role = str(uuid.uuid4())
        self.deployment.execute("INSERT INTO latchkey.role (role_id, company_id, name, permissions) SELECT "
                                f"'{role}', company_id, 'of a test', '{{customers.read}}' FROM latchkey.company WHERE is_demo")
        kept = {name: "" for name in OWN if name not in ("refunds.create", "customers.read")}
        error = self.assert_refused(PRECONDITION, "PERMISSION_IN_USE", lambda: self.set(kept))
        uses = dict(part.split(": ") for part in error_info(error).metadata["uses"].split("; "))
        self.assertEqual(set(uses["refunds.create"].split(", ")), {*made, elsewhere})
        self.assertEqual([uuid_of_id(use) for use in uses["customers.read"].split(", ")], [role])
        self.assertIn("customers.read is still granted", error.details())
        self.assertEqual({p.name for p in self.catalogue() if p.name in OWN}, set(OWN))

    def test_a_hundred_uses_are_named(self):
        self.set({**OWN, "parcels.send": ""})
        for _ in range(101):
            self.granted("parcels.send")
        error = self.assert_refused(PRECONDITION, "PERMISSION_IN_USE", lambda: self.set(OWN))
        self.assertEqual(len(error_info(error).metadata["uses"].split(", ")), 100)

    def test_a_deactivated_token_or_a_group_holds_nothing_back(self):
        self.set({**OWN, "parcels.send": ""})
        ended = self.granted("parcels.send").access_token.token_id
        self.deactivate(ended)
        self.granted("parcels.*")
        self.set(OWN)

    def test_bad_names_are_named_at_once(self):
        fields = self.assert_bad_fields(
            lambda: self.operator.tokens.SetPermissions(token_pb2.SetPermissionsRequest(request_id="x", permissions=[
                {"name": name} for name in ("charges.read", "Charges.read", "charges", "charges.*", "latchkey.mine", "a..b",
                                            "1.a", "a.b" + "c" * 100, "", "charges.read", "a. b")]
                + [{"name": "long.description", "description": "d" * 501}]), timeout=10),
            *(f"permissions[{index}].name" for index in range(1, 11)), "permissions[11].description", "request_id")
        self.assertIn("stands there before", fields["permissions[9].name"])
        self.assertIn("latchkey.", fields["permissions[4].name"])

    def test_a_catalogue_has_10_000_names_at_most(self):
        many = {f"area{number}.do": "" for number in range(10_000 - len(OWN))}
        self.assertEqual(len(self.set({**OWN, **many}).permissions), 10_000)
        self.assert_bad_fields(lambda: self.set({**OWN, **many, "one.more": ""}), "permissions")

    def test_an_empty_catalogue_is_one(self):
        self.deployment.execute("UPDATE latchkey.token SET permissions = array_remove(permissions, 'charges.read')")
        self.assertEqual(len(self.set({}).permissions), 0)
        self.assertTrue(all(p.name.startswith("latchkey.") for p in self.catalogue()))

    def test_only_the_operator_sets_it(self):
        self.assert_refused(DENIED, "PERMISSION_MISSING", lambda: self.set(OWN, self.client))

    def test_the_validator_follows(self):
        self.set({**OWN, "parcels.send": ""}, wait_for_validators=WAIT)
        made = self.granted("parcels.*")
        self.wait_for(lambda: self.decide(made.secret, permissions=["parcels.send"]) == "OK")
        self.assertEqual(self.decide(made.secret, permissions=["parcels.open"]), "PERMISSION_MISSING")
        answer = self.set({**OWN, "parcels.send": "", "parcels.open": ""}, wait_for_validators=WAIT)
        self.assertTrue(answer.validators.all_confirmed and answer.revision)
        self.assertEqual(self.decide(made.secret, permissions=["parcels.open"]), "OK")

    def test_the_log_is_told_what_came_and_went_and_nothing_where_nothing_did(self):
        self.set({**OWN, "parcels.send": ""})
        self.set({**OWN, "parcels.send": ""})
        self.set({**OWN, "parcels.open": ""})
        rows = self.deployment.execute("SELECT before::text, after::text FROM latchkey.audit_event "
                                       "WHERE action = 'permissions.set' ORDER BY number")
        told = [(json.loads(before)["permissions"], json.loads(after)["permissions"]) for before, after in rows]
        self.assertEqual(told[-1], (["parcels.send"], ["parcels.open"]))
        self.assertNotIn(([], []), told)

    def test_a_repeated_request_sets_once(self):
        request_id = str(uuid.uuid4())
        first = self.set({**OWN, "parcels.send": ""}, request_id=request_id)
        self.set(OWN)
        second = self.set({**OWN, "parcels.send": ""}, request_id=request_id)
        self.assertEqual(list(first.permissions), list(second.permissions))
        self.assertNotIn("parcels.send", [p.name for p in self.catalogue()])


if __name__ == "__main__":
    unittest.main()
