"""A list of real size through the calls: every address range of Germany (Debian's tor-geoipdb), IPv4 and IPv6."""

import bisect
import ipaddress
import os
import random
import time
import unittest

from whitelist_case import WhitelistCase

COUNTRY = "DE"
PER_CALL = 10000
QUESTIONS = 300


def read_ranges(path, address_type, parse):
    """The country's ranges as (first, last); they are sorted and apart."""
    with open(path, encoding="ascii") as file:
        rows = (line.strip().split(",") for line in file if not line.startswith("#"))
        return [(address_type(parse(first)), address_type(parse(last))) for first, last, country in rows if country == COUNTRY]


def holds(ranges, address):
    """A linear scan would say the same, later."""
    place = bisect.bisect_right(ranges, address, key=lambda item: item[0])
    return place > 0 and address <= ranges[place - 1][1]


class Country(WhitelistCase):
    @classmethod
    def setUpClass(cls):
        seed = int(os.environ.get("LATCHKEY_SEED") or random.SystemRandom().randrange(2**32))
        print(f"LATCHKEY_SEED={seed}", flush=True)
        cls.random = random.Random(seed)
        cls.ranges = {4: read_ranges("/usr/share/tor/geoip", ipaddress.IPv4Address, int),
                      6: read_ranges("/usr/share/tor/geoip6", ipaddress.IPv6Address, str)}
        cls.prefixes = [str(prefix) for ranges in cls.ranges.values() for first, last in ranges
                        for prefix in ipaddress.summarize_address_range(first, last)]
        super().setUpClass()

    def draw_address(self, version):
        """Near a bound of a range, or anywhere near one of its addresses."""
        width = 32 if version == 4 else 128
        number = int(self.random.choice(self.random.choice(self.ranges[version])))
        if self.random.random() < 0.5:
            number += self.random.choice((-1, 0, 1))
        else:
            number ^= self.random.getrandbits(self.random.randrange(1, width - 8))
        return (ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address)(number % 2**width)

    def add_all(self):
        ids = []
        for begin in range(0, len(self.prefixes), PER_CALL):
            started = time.monotonic()
            answer = self.add(*self.prefixes[begin:begin + PER_CALL])
            print(f"{len(answer.entries)} added in {time.monotonic() - started:.2f} s", flush=True)
            self.assertFalse(answer.warnings)
            ids += [entry.entry_id for entry in answer.entries]
        return ids

    def list_all(self):
        entries, token = [], ""
        while True:
            page = self.list_page(page_size=1000, page_token=token)
            entries += page.entries
            token = page.next_page_token
            if not token:
                return entries

    def test_a_whole_country_is_added_listed_and_found(self):
        self.assertGreater(len(self.prefixes), 50000)
        ids = self.add_all()
        self.assertEqual(self.get().entry_count, len(self.prefixes))

        listed = self.list_all()
        self.assertEqual([entry.entry_id for entry in listed], ids[::-1])
        self.assertEqual([entry.cidr for entry in listed], self.prefixes[::-1])

        told = {True: 0, False: 0}
        for _ in range(QUESTIONS):
            version = self.random.choice((4, 6))
            address = self.draw_address(version)
            answer, expected = self.check(str(address)), holds(self.ranges[version], address)
            self.assertEqual(answer.listed, expected, address)
            told[expected] += 1
            if expected:
                self.assertIn(address, ipaddress.ip_network(answer.matched_entry.cidr))
            else:
                self.assertNotIn(address, ipaddress.ip_network(answer.nearest_miss.cidr))
        self.assertGreater(min(told.values()), QUESTIONS // 20)

        self.assertEqual(len(self.add(*self.random.sample(self.prefixes, 500)).warnings), 500)


if __name__ == "__main__":
    unittest.main()
