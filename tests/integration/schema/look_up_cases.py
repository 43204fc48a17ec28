"""Look-ups before the company is known: who calls, and what a list says to an address."""

import hashlib
import random
import time
import unittest
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import psycopg2

import database
from database import Company, act_for, connect, new_id, run, run_row, run_value
from database import prepare as setUpModule  # noqa: F401


class Caller(unittest.TestCase):
    def setUp(self):
        self.company = Company()
        self.app = connect("latchkey_app", self.company.id)
        self.addCleanup(self.app.close)

    def caller(self, digest, address="192.0.2.7"):
        self.app.commit()  # asked with no company set, as a server does
        return run_row(self.app, "SELECT * FROM latchkey.caller(%s, %s)", digest, address)

    def test_one_row_holds_the_token_its_company_and_its_member(self):
        token, digest = self.company.add_token(self.app, self.company.administrator, ["charges.create", "charges.*"])
        run(self.app, "UPDATE latchkey.token SET label = 'billing', allowed_ips = '{192.0.2.0/24}', suspended = true")
        run(self.app, "UPDATE latchkey.token_secret SET expires_at = '2030-01-01Z'")
        run(self.app, "UPDATE latchkey.member SET allowed_ips = '{198.51.100.0/24}'")
        row = self.caller(digest)
        self.assertEqual(
            {name: row[name] for name in ("token_id", "company_id", "lane", "member_id", "kind", "label", "channels",
                                          "permissions", "suspended", "deactivated_at", "company_suspended",
                                          "company_is_operator", "member_removed", "member_email",
                                          "whitelist_enabled")},
            {"token_id": token, "company_id": self.company.id, "lane": self.company.lane,
             "member_id": self.company.administrator, "kind": "a", "label": "billing", "channels": 1,
             "permissions": ["charges.create", "charges.*"], "suspended": True, "deactivated_at": None,
             "company_suspended": False, "company_is_operator": False, "member_removed": False,
             "member_email": "ada@example.com", "whitelist_enabled": False})
        self.assertEqual(row["secret_expires_at"].year, 2030)
        self.assertEqual(row["allowed_ips"] + row["member_allowed_ips"],
                         [ip_network("192.0.2.0/24"), ip_network("198.51.100.0/24")])

    def test_an_unknown_digest_has_no_row(self):
        self.assertEqual(run(self.app, "SELECT 1 FROM latchkey.caller(%s, '192.0.2.7')",
                             hashlib.sha256(b"?").digest()), [])

    def test_an_administrator_can_do_the_whole_catalogue_but_the_operators_part(self):
        _, digest = self.company.add_token(self.app, self.company.administrator)
        run(self.app, "SELECT latchkey.permission_replace('{charges.create}', '{Make charges}')")
        granted = set(self.caller(digest)["member_permissions"])
        self.assertLessEqual({"charges.create", "latchkey.tokens.manage", "latchkey.whitelist.read"}, granted)
        self.assertEqual(granted & {"latchkey.operate", "latchkey.logins.create", "latchkey.validate.any"}, set())
        run(self.app, "SELECT latchkey.permission_replace('{charges.create,charges.read}', '{a,b}')")
        self.assertEqual(set(self.caller(digest)["member_permissions"]) - granted, {"charges.read"})

    def test_an_administrator_holds_the_group_of_every_resource_that_there_is(self):
        _, digest = self.company.add_token(self.app, self.company.administrator)
        groups = lambda: {grant for grant in self.caller(digest)["member_permissions"] if grant.endswith(".*")}  # noqa: E731
        run(self.app, "SELECT latchkey.permission_replace('{charges.create,charges.eu.read}', '{a,b}')")
        self.assertEqual(groups(), {"charges.*", "latchkey.*"})
        run(self.app, "SELECT latchkey.permission_replace('{charges.create,invoices.read}', '{a,b}')")
        self.assertEqual(groups(), {"charges.*", "invoices.*", "latchkey.*"})

    def test_a_member_can_do_what_all_its_roles_say(self):
        member, roles = new_id(), [new_id(), new_id()]
        for role, permissions in zip(roles, (["a.b", "a.c"], ["a.c", "d.*"])):
            run(self.app,
                "INSERT INTO latchkey.role (role_id, company_id, name, permissions) VALUES (%s, %s, %s, %s)",
                role, self.company.id, str(role), permissions)
        self.company.add_member(self.app, member, "bob@example.com", *roles)
        _, digest = self.company.add_token(self.app, member)
        self.assertEqual(sorted(self.caller(digest)["member_permissions"]), ["a.b", "a.c", "d.*"])

    def test_a_member_without_roles_can_do_nothing_and_a_company_owned_token_has_no_member(self):
        member = new_id()
        self.company.add_member(self.app, member, "eve@example.com")
        _, digest = self.company.add_token(self.app, member)
        self.assertEqual(self.caller(digest)["member_permissions"], [])
        act_for(self.app, self.company.id)
        _, digest = self.company.add_token(self.app)
        row = self.caller(digest)
        self.assertEqual((row["member_id"], row["member_permissions"], row["member_removed"]), (None, None, False))

    def test_the_live_entries_around_the_address_come_longest_first(self):
        _, digest = self.company.add_token(self.app)
        self.company.add_entries(self.app, ["192.0.0.0/8", "192.0.2.0/24", "192.0.2.7/32", "203.0.113.0/24"])
        disabled, expired = self.company.add_entries(self.app, ["192.0.2.0/25", "192.0.2.0/26"])
        run(self.app, "UPDATE latchkey.whitelist_entry SET disabled = true WHERE entry_id = %s", disabled)
        run(self.app, "UPDATE latchkey.whitelist_entry SET expires_at = now() WHERE entry_id = %s", expired)
        draft = new_id()
        run(self.app, "INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES (%s, %s)", draft,
            self.company.id)
        self.company.add_entries(self.app, ["192.0.2.0/27"], draft)
        expected = [ip_network("192.0.2.7/32"), ip_network("192.0.2.0/24"), ip_network("192.0.0.0/8")]
        for address in ("192.0.2.7", "::ffff:192.0.2.7"):
            row = self.caller(digest, address)
            self.assertEqual((row["matched"], row["matched_expires_at"]), (expected, [None] * 3))
        self.assertEqual(self.caller(digest, None)["matched"], [])

    def test_a_company_without_whitelist_settings_counts_as_listing_nobody(self):
        _, digest = self.company.add_token(self.app)
        self.app.commit()
        owner = connect()
        run(owner, "DELETE FROM latchkey.whitelist WHERE company_id = %s", self.company.id)
        owner.commit()
        owner.close()
        row = self.caller(digest)
        self.assertEqual((row["whitelist_enabled"], row["whitelist_scope"], row["matched"]), (True, 1, []))


class WhitelistMatch(unittest.TestCase):
    def setUp(self):
        self.company = Company()
        self.app = connect("latchkey_app", self.company.id)
        self.addCleanup(self.app.close)

    def match(self, address, list_id=None):
        with self.app.cursor() as cursor:
            cursor.execute("SELECT listed, host(cidr) || '/' || masklen(cidr), common_bits"
                           "  FROM latchkey.whitelist_match(%s, %s, %s)", (self.company.id, list_id, str(address)))
            return cursor.fetchone()

    @staticmethod
    def random_network(rng):
        """Crowded at the low end of each family, so that prefixes nest and collide."""
        version = rng.choice((4, 4, 6))
        bits = 32 if version == 4 else 128
        address = rng.getrandbits(bits) if rng.random() < 0.2 else rng.getrandbits(12) << (bits - 24)
        length = rng.randint(0 if rng.random() < 0.02 else bits - 20, bits)
        network = (IPv4Network if version == 4 else IPv6Network)((address, length), strict=False)
        mapped = version == 6 and network.subnet_of(ip_network("::ffff:0:0/96"))
        return WhitelistMatch.random_network(rng) if mapped else network

    @staticmethod
    def common_bits(network, address):
        width = address.max_prefixlen
        differing = int(network.network_address) ^ int(address)
        return min(network.prefixlen, width - differing.bit_length())

    def expected(self, entries, address):
        """(listed, its prefix length or the bits in common) by looking at every entry; None = nothing to name."""
        family = [(network, live) for network, live in entries if network.version == address.version]
        around = [(live, network.prefixlen) for network, live in family if address in network]
        if around:
            return max(around)
        misses = [self.common_bits(network, address) for network, live in family if live]
        return (False, max(misses)) if misses else None

    def test_random_lists_agree_with_looking_at_every_entry(self):
        rng = random.Random(database.SEED)
        for round_number in range(30):
            entries = [(self.random_network(rng), rng.random() < 0.8) for _ in range(rng.choice((0, 1, 3, 40, 300)))]
            ids = self.company.add_entries(self.app, [network for network, _ in entries])
            dead = [entry for entry, (_, live) in zip(ids, entries) if not live]
            run(self.app, "UPDATE latchkey.whitelist_entry SET disabled = true WHERE entry_id = ANY (%s)", dead[::2])
            run(self.app, "UPDATE latchkey.whitelist_entry SET expires_at = now() WHERE entry_id = ANY (%s)",
                dead[1::2])
            for _ in range(100):
                address = self.random_network(rng)[-1]
                found = self.match(address)
                wanted = self.expected(entries, address)
                context = f"seed {database.SEED} round {round_number} address {address} found {found}"
                self.assertEqual(found and (found[0], found[2]), wanted, context)
                if found:
                    network = ip_network(found[1])
                    self.assertIn(network, [network for network, _ in entries], context)
                    self.assertEqual(self.common_bits(network, address), found[2], context)
            self.app.rollback()
            act_for(self.app, self.company.id)

    def test_a_dead_entry_around_the_address_is_the_nearest_miss(self):
        near, around = self.company.add_entries(self.app, ["192.0.2.6/32", "192.0.0.0/16"])
        run(self.app, "UPDATE latchkey.whitelist_entry SET disabled = true WHERE entry_id = %s", around)
        self.assertEqual(self.match("192.0.2.7"), (False, "192.0.0.0/16", 16))
        self.assertEqual(self.match("192.1.2.7"), (False, "192.0.2.6/32", 15), near)

    def test_a_mapped_address_is_its_ipv4_self_and_no_entry_may_be_mapped(self):
        self.company.add_entries(self.app, ["192.0.2.0/24"])
        self.assertEqual(self.match("::ffff:192.0.2.7"), (True, "192.0.2.0/24", 24))
        with self.assertRaises(psycopg2.errors.CheckViolation):
            self.company.add_entries(self.app, ["::ffff:192.0.2.0/120"])

    def test_another_company_and_its_lists_say_nothing(self):
        other = Company()
        stranger = connect("latchkey_app", other.id)
        other.add_entries(stranger, ["192.0.2.0/24"])
        stranger.commit()
        stranger.close()
        self.assertIsNone(self.match("192.0.2.7", other.list))
        ask = "SELECT count(*) FROM latchkey.whitelist_match(%s, NULL, '192.0.2.7')"
        self.assertEqual(run_value(self.app, ask, other.id), 0)
        self.app.commit()
        self.assertEqual(run_value(self.app, ask, other.id), 1,
                         "with no company set it is taken at the caller's word")

    def test_a_large_list_is_asked_through_its_index(self):
        run(self.app, "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
                      " SELECT gen_random_uuid(), %s, %s, 'x/32', '10.0.0.0'::inet + 2 * number"
                      "   FROM generate_series(0, 199999) AS number", self.company.id, self.company.list)
        _, digest = self.company.add_token(self.app)
        self.app.commit()
        act_for(self.app, self.company.id)
        scans = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relid = 'latchkey.whitelist_entry'::regclass"
        self.assertEqual(self.match("10.0.0.6"), (True, "10.0.0.6/32", 32))
        self.assertEqual(self.match("10.0.0.7"), (False, "10.0.0.6/32", 31))
        self.assertEqual(run_value(self.app, "SELECT matched FROM latchkey.caller(%s, '10.0.0.6')", digest),
                         [ip_network("10.0.0.6/32")])
        self.assertEqual(run_value(self.app, scans), 0)


class WhitelistHolders(unittest.TestCase):
    def setUp(self):
        self.company = Company()
        self.app = connect("latchkey_app", self.company.id)
        self.addCleanup(self.app.close)

    def holders(self, networks, company=None):
        with self.app.cursor() as cursor:
            cursor.execute("SELECT entry_id, host(cidr) || '/' || masklen(cidr)"
                           "  FROM latchkey.whitelist_holders(%s, NULL, %s::cidr[])",
                           (company or self.company.id, [str(network) for network in networks]))
            return cursor.fetchall()

    def test_random_lists_agree_with_looking_at_every_entry(self):
        rng = random.Random(database.SEED)
        for round_number in range(20):
            entries = [WhitelistMatch.random_network(rng) for _ in range(rng.choice((0, 1, 3, 40, 300)))]
            self.company.add_entries(self.app, entries)
            asked = [WhitelistMatch.random_network(rng) for _ in range(100)]
            around = [[entry for entry in entries if entry.version == network.version and network.subnet_of(entry)]
                      for network in asked]
            wanted = {max(held, key=lambda entry: entry.prefixlen) for held in around if held}
            found = [ip_network(cidr) for _, cidr in self.holders(asked)]
            self.assertEqual(set(found), wanted, f"seed {database.SEED} round {round_number}")
            self.assertEqual(len(found), len(wanted))
            self.app.rollback()
            act_for(self.app, self.company.id)

    def test_another_company_says_nothing(self):
        other = Company()
        act_for(self.app, other.id)
        other.add_entries(self.app, ["192.0.2.0/24"])
        self.assertEqual(len(self.holders(["192.0.2.0/28"], other.id)), 1)
        act_for(self.app, self.company.id)
        self.assertEqual(self.holders(["192.0.2.0/28"], other.id), [])
        self.assertEqual(self.holders(["192.0.2.0/28"]), [])


class SharedPrefixes(unittest.TestCase):
    """Two lists of addresses, of which an empty one lets in any, as one."""

    def setUp(self):
        self.app = connect("latchkey_app")
        self.addCleanup(self.app.close)

    def share(self, a, b):
        with self.app.cursor() as cursor:
            cursor.execute("SELECT array(SELECT host(p) || '/' || masklen(p) FROM unnest(shared) AS p), shared IS NULL"
                           " FROM latchkey.shared_prefixes(%s::cidr[], %s::cidr[]) AS shared",
                           ([str(network) for network in a], [str(network) for network in b]))
            prefixes, is_nobody = cursor.fetchone()
        return None if is_nobody else [ip_network(prefix) for prefix in prefixes]

    @staticmethod
    def lets_in(networks, address):
        return networks is not None and (not networks or any(address in network for network in networks))

    def test_random_lists_let_in_what_both_do(self):
        rng, outcomes = random.Random(database.SEED), set()
        for round_number in range(300):
            a, b = ([WhitelistMatch.random_network(rng) for _ in range(rng.choice((0, 1, 2, 5)))] for _ in range(2))
            shared = self.share(a, b)
            outcomes.add("nobody" if shared is None else "as it is" if shared == a else "narrower")
            edges = [edge for network in a + b for edge in (network[0], network[-1])]
            for address in edges + [ip_network("203.0.113.7")[0], ip_network("2001:db8::7")[0]]:
                self.assertEqual(self.lets_in(shared, address), self.lets_in(a, address) and self.lets_in(b, address),
                                 (database.SEED, round_number, a, b, shared, address))
            if a and all(any(x.version == y.version and x.subnet_of(y) for y in b) for x in a):
                self.assertEqual(shared, a)
        self.assertEqual(outcomes, {"nobody", "as it is", "narrower"})

    def test_long_lists_take_the_time_of_sorting_and_hold_nothing_twice(self):
        rng = random.Random(database.SEED)
        for lengths, first in (((21, 24, 28), "10.0.0.0"), ((61, 64, 68), "2001:db8::")):
            a, b = ([self.random_network(rng, first, lengths) for _ in range(10_000)] for _ in range(2))
            began = time.monotonic()
            shared = self.share(a, b)
            self.assertLess(time.monotonic() - began, 10)  # each with each: a hundred million
            wanted = self.share_plainly(a, b, lengths)
            self.assertEqual((len(shared), set(shared)), (len(wanted), wanted), database.SEED)

    @staticmethod
    def random_network(rng, first, lengths):
        """One of so many that two lists of 10 000 share some, hold some twice and some inside others."""
        address = ip_address(first) + (rng.randrange(20_000) << (ip_address(first).max_prefixlen - lengths[1]))
        return ip_network((address, rng.choice(lengths)), strict=False)

    @staticmethod
    def share_plainly(a, b, lengths):
        """Of each pair the inner one, without those that lie in another."""
        def lies_in(network, others, shorter_than):
            return any(network.supernet(new_prefix=bits) in others for bits in lengths if bits < shorter_than)

        both = {x for some, others in ((a, set(b)), (b, set(a))) for x in some if lies_in(x, others, x.prefixlen + 1)}
        return {x for x in both if not lies_in(x, both, x.prefixlen)}

    def test_the_shared_list_may_be_longer_than_either(self):
        lists = [[ip_network(f"{own}.0.0.0/8")] + [ip_network((other << 24 | n << 8, 24)) for n in range(3000)]
                 for own, other in ((10, 11), (11, 10))]
        self.assertEqual(len(self.share(*lists)), 6000)

    def test_it_is_never_empty_where_either_list_is_not(self):
        one = [ip_network("192.0.2.0/24")]
        self.assertEqual((self.share([], []), self.share(one, []), self.share([], one)), ([], one, one))
        self.assertIsNone(self.share(one, [ip_network("2001:db8::/32")]))


class CompanyList(unittest.TestCase):
    def setUp(self):
        self.ours, self.theirs = Company(), Company()
        self.app = connect("latchkey_app")
        self.owner = connect()
        self.addCleanup(self.app.close)
        self.addCleanup(self.owner.close)

    def list(self, company, everything=True):
        act_for(self.app, company.id)
        rows = run(self.app, "SELECT company_id FROM latchkey.company_list(%s, NULL, NULL, '', '', 100000)", everything)
        return [company_id for (company_id,) in rows]

    def test_it_shows_the_operators_company_all_and_every_other_one_itself(self):
        self.assertEqual(self.list(self.ours), [self.ours.id])
        run(self.owner, "UPDATE latchkey.company SET is_operator = true WHERE company_id = %s", self.ours.id)
        self.owner.commit()
        try:
            self.app.commit()
            listed = self.list(self.ours)
            self.assertLessEqual({self.ours.id, self.theirs.id}, set(listed))
            self.assertEqual(listed, sorted(listed, reverse=True))
            self.assertEqual(self.list(self.ours, everything=False), [self.ours.id])
            self.assertEqual(self.list(self.theirs), [self.theirs.id])
        finally:
            run(self.owner, "UPDATE latchkey.company SET is_operator = false WHERE company_id = %s", self.ours.id)
            self.owner.commit()

    def test_it_shows_nothing_while_no_company_is_set(self):
        self.assertEqual(run(self.app, "SELECT company_id FROM latchkey.company_list(true, NULL, NULL, '', '', 10)"), [])
