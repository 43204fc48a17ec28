"""A real list: all prefixes of one large country (Debian's tor-geoipdb) as a company's whitelist, put there by RPC, and
100 000 addresses validated over gRPC. The oracle knows no prefixes: it goes once along the sorted ranges of the file.
"""

import collections
import ipaddress
import unittest

from latchkey_test import scenario

from system import OWN_ADDRESS, Stopwatch, System, decision_pb2, scaled, seeded

COUNTRY = "DE"
FILES = {4: "/usr/share/tor/geoip", 6: "/usr/share/tor/geoip6"}
ENTRIES_PER_CALL = 10_000
ADDRESSES = 100_000
ADDRESS_TYPE = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}


def read_ranges(version):
    """(first, last) as numbers, of the country, as they stand in the file: sorted and apart."""
    ranges = []
    with open(FILES[version], encoding="ascii") as lines:
        for line in lines:
            if not line.startswith("#") and line.rstrip().endswith("," + COUNTRY):
                first, last = line.split(",")[:2]
                ranges.append((int(first), int(last)) if version == 4 else
                              (int(ipaddress.IPv6Address(first)), int(ipaddress.IPv6Address(last))))
    return ranges


def cut_into_prefixes(ranges, version):
    make = ADDRESS_TYPE[version]
    for first, last in ranges:
        yield from map(str, ipaddress.summarize_address_range(make(first), make(last)))


def pick_numbers(random, ranges, version, count):
    """Half of them at the borders of ranges, where off-by-one errors live; the rest inside, beside, and anywhere."""
    largest = 2**(32 if version == 4 else 128) - 1
    for _ in range(count):
        first, last = random.choice(ranges)
        at = random.random()
        if at < 0.5:
            number = random.choice((first - 1, first, last, last + 1))
        elif at < 0.8:
            number = random.randint(first, last)
        elif at < 0.9:
            number = last + 1 + random.randrange(2 * (last - first + 1))
        else:
            number = random.randint(0, largest)
        yield min(max(number, 0), largest)


def find_listed(numbers, ranges):
    """Those of the numbers that lie in a range: one walk along both, sorted."""
    listed, at = set(), 0
    for number in sorted(numbers):
        while at < len(ranges) and ranges[at][1] < number:
            at += 1
        if at < len(ranges) and ranges[at][0] <= number:
            listed.add(number)
    return listed


class Countries(unittest.TestCase):
    def test_the_oracle_finds_what_lies_in_a_range_and_nothing_else(self):
        self.assertEqual(find_listed([0, 9, 10, 15, 20, 21, 30, 31], [(10, 20), (30, 30)]), {10, 15, 20, 30})

    def test_every_address_is_decided_as_the_ranges_say(self):
        random = seeded("countries")
        ranges = {version: scaled_ranges(random, read_ranges(version)) for version in FILES}
        prefixes = [prefix for version in FILES for prefix in cut_into_prefixes(ranges[version], version)]
        random.shuffle(prefixes)
        with System(validators=1) as system:
            watch = Stopwatch()
            for start in range(0, len(prefixes), ENTRIES_PER_CALL):
                system.add_entries(prefixes[start:start + ENTRIES_PER_CALL], wait=0)
            added = watch.seconds()
            system.add_entries([OWN_ADDRESS])
            scenario.enable_whitelist(system.whitelist_client)
            secret = system.create().secret
            self.compare(system, secret, ranges, random)
        print(f"{len(prefixes)} prefixes of {COUNTRY} added in {added:.1f} s, all in {watch.seconds():.1f} s",
              end=" ", flush=True)

    def compare(self, system, secret, ranges, random):
        questions, expected = [], []
        for version, share in ((4, 6), (6, 4)):
            numbers = list(pick_numbers(random, ranges[version], version, scaled(ADDRESSES) * share // 10))
            listed = find_listed(numbers, ranges[version])
            for number in numbers:
                address = str(ADDRESS_TYPE[version](number))
                is_listed = number in listed or (version == 4 and number >> 24 == 127)
                questions.append((secret, address))
                expected.append(decision_pb2.REASON_OK if is_listed else decision_pb2.REASON_COMPANY_IP_NOT_LISTED)
        answers = system.ask_many(system.validators[0], questions)
        different = [(address, answer) for (_, address), answer, right in zip(questions, answers, expected)
                     if answer != str(right)]
        self.assertEqual(different[:10], [], f"{len(different)} of {len(questions)} differ")
        counts = collections.Counter(expected)
        self.assertGreater(min(counts.values()), len(questions) // 5, "both answers are there to be compared")


def scaled_ranges(random, ranges):
    return sorted(random.sample(ranges, scaled(len(ranges))))


if __name__ == "__main__":
    unittest.main()
