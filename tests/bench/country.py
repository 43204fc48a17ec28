"""One country's real prefixes, from Debian's tor-geoipdb."""

import ipaddress
from functools import cache

_FILES = {4: "/usr/share/tor/geoip", 6: "/usr/share/tor/geoip6"}


@cache
def prefixes(country, version):
    """The country's address ranges cut into prefixes, sorted and apart; of every country if it is "all"."""
    found = []
    with open(_FILES[version], encoding="ascii") as lines:
        for line in lines:
            first, last, code = line.rstrip("\n").split(",") if not line.startswith("#") else ("", "", "")
            if code and country in (code, "all"):
                bounds = [ipaddress.ip_address(int(bound) if version == 4 else bound) for bound in (first, last)]
                found += ipaddress.summarize_address_range(*bounds)
    return found
