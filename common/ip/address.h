// IPv4 and IPv6 addresses, parsed strictly: what different programs would read differently is refused, with a
// sentence that says what to type instead. An IPv4-mapped IPv6 address (::ffff:1.2.3.4) is that IPv4 address
// from the moment it is parsed, so that nothing behind this header ever meets the mapped form.
#ifndef LATCHKEY_COMMON_IP_ADDRESS_H
#define LATCHKEY_COMMON_IP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

struct sockaddr;

#define IP_ADDRESS_TEXT_MAX 39

enum ip_family { IP_FAMILY_NONE = 0, IP_FAMILY_V4 = 4, IP_FAMILY_V6 = 6 };

// Zeroed memory is no address: it equals nothing that was parsed and no set contains it.
struct ip_address {
    uint8_t family;    // enum ip_family
    uint8_t bytes[16]; // network order; IPv4 uses the first four, the rest is zero
};

// Outcomes of parsing an address or a prefix. The sentence may be shown to whoever typed it.
#define IP_PARSE_TABLE(X)                                                                                    \
    X(OK, "the address is valid")                                                                            \
    X(EMPTY, "type an address, such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32")                        \
    X(SPACE, "type one address without spaces")                                                              \
    X(CHARACTER,                                                                                             \
      "type an address with digits, dots, colons and a-f only, such as 203.0.113.7 or 2001:db8::1")          \
    X(RANGE,                                                                                                 \
      "type the prefixes that make up the range, such as 192.0.2.0/28 in place of 192.0.2.0-192.0.2.15")     \
    X(WILDCARD, "type a prefix in place of the *, such as 192.0.2.0/24 in place of 192.0.2.*")               \
    X(NETMASK,                                                                                               \
      "type the checking bits in place of the netmask, 192.0.2.0/24 rather than 192.0.2.0 255.255.255.0")    \
    X(PORT_OR_BRACKETS, "type the address alone, without brackets and without a port")                       \
    X(ZONE, "type the address without a zone (the % and what follows it)")                                   \
    X(LEADING_ZERO, "type the numbers without leading zeros, 10.0.0.1 rather than 010.0.0.1: some programs " \
                    "read those as octal")                                                                   \
    X(NOT_DECIMAL, "type four decimal numbers, such as 192.168.1.1: hexadecimal is not accepted in IPv4")    \
    X(NOT_FOUR_NUMBERS, "type all four numbers of an IPv4 address, such as 10.0.0.1")                        \
    X(NUMBER_TOO_LARGE, "type numbers from 0 to 255 in an IPv4 address")                                     \
    X(GROUP_TOO_LONG, "type at most four hexadecimal digits in each group of an IPv6 address")               \
    X(GROUP_COUNT, "type eight groups in an IPv6 address, or :: once in place of those that are zero")       \
    X(COLONS, "type single colons between the groups of an IPv6 address, and :: at most once")               \
    X(BITS_MISSING, "type the number of checking bits after the slash, such as 203.0.113.0/24")              \
    X(BITS_NOT_A_NUMBER,                                                                                     \
      "type the checking bits as one decimal number, 10.0.0.0/8 rather than 10.0.0.0/255.0.0.0 "             \
      "or 10.0.0.0/08")                                                                                      \
    X(BITS_TOO_LARGE, "type 0 to 32 checking bits for an IPv4 address, 0 to 128 for an IPv6 address")        \
    X(MIXED_FAMILY,                                                                                          \
      "type 0 to 32 checking bits for an IPv4 address: 96 to 128 count the bits of an IPv6 address, "        \
      "1.2.3.0/24 is ::ffff:1.2.3.0/120")                                                                    \
    X(MAPPED_BITS,                                                                                           \
      "type the IPv4 form, 10.0.0.0/8 rather than ::ffff:10.0.0.0/8: below 96 checking bits an "             \
      "IPv4-mapped address would stand for a part of IPv6")                                                  \
    X(BITS_DIFFER, "type the checking bits once, either after the slash or in the field of their own")       \
    X(HAS_PREFIX, "type one address without a slash and checking bits")

enum ip_parse_result {
#define IP_PARSE_ENUM(name, text) IP_PARSE_##name,
    IP_PARSE_TABLE(IP_PARSE_ENUM)
#undef IP_PARSE_ENUM
        IP_PARSE_COUNT
};

// What to type instead; static storage.
const char *ip_parse_result_get_text(enum ip_parse_result result);

// Reads exactly one address. `ret` is untouched unless the result is IP_PARSE_OK.
MUST_CHECK enum ip_parse_result ip_address_parse(struct bytes text, struct ip_address *ret);

// Canonical text (RFC 5952); "" for no address. NUL-terminated.
void ip_address_format(const struct ip_address *address, char ret_text[IP_ADDRESS_TEXT_MAX + 1]);

// The address of an AF_INET or AF_INET6 socket, its zone dropped; of any other family no address.
struct ip_address ip_address_from_sockaddr(const struct sockaddr *socket_address);

// 32, 128, or 0 for no address.
static inline unsigned ip_address_get_width_bits(const struct ip_address *address) {
    return address->family == IP_FAMILY_V4 ? 32 : address->family == IP_FAMILY_V6 ? 128 : 0;
}

static inline bool ip_address_is_equal(const struct ip_address *a, const struct ip_address *b) {
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

#endif
