// An address and how many of its leading bits count (its "checking bits"). Always canonical: the bits that do
// not count are zero. A typed 10.1.2.3/8 is fine and means 10.0.0.0/8; whoever wants to show it as typed
// keeps the text.
//
// Checking bits are those of the form that was typed: ::ffff:10.0.0.0/104 is 10.0.0.0/8. A mapped address
// with fewer than 96 bits is refused (IP_PARSE_MAPPED_BITS), because what its author meant is not what it
// would admit. Other short IPv6 prefixes, ::/0 too, stand for IPv6 alone: no IPv6 prefix contains an IPv4
// address.
#ifndef LATCHKEY_COMMON_IP_PREFIX_H
#define LATCHKEY_COMMON_IP_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/ip/address.h"

// "/128" behind an address.
#define IP_PREFIX_TEXT_MAX (IP_ADDRESS_TEXT_MAX + 4)

// In place of a number of checking bits: the whole address.
#define IP_PREFIX_BITS_UNSET UINT32_MAX

// Zeroed memory is no prefix and contains nothing.
struct ip_prefix {
    struct ip_address address;
    uint8_t bits; // 0..32 or 0..128
};

// Clears the bits of `address` that do not count. `bits` is at most the address's width.
struct ip_prefix ip_prefix_of(const struct ip_address *address, unsigned bits);

// Reads "address" or "address/bits". `ret` is untouched unless the result is IP_PARSE_OK.
MUST_CHECK enum ip_parse_result ip_prefix_parse(struct bytes text, struct ip_prefix *ret);

// The same with the bits in a field of their own, IP_PREFIX_BITS_UNSET if there are none. Given in both
// places they must be the same number.
MUST_CHECK enum ip_parse_result ip_prefix_parse_with_bits(struct bytes text, uint32_t bits,
                                                          struct ip_prefix *ret);

// "203.0.113.0/24", always with its bits; "" for no prefix. NUL-terminated.
void ip_prefix_format(const struct ip_prefix *prefix, char ret_text[IP_PREFIX_TEXT_MAX + 1]);

// How many leading bits of `address` are those of the prefix, at most the prefix's own bits; 0 for another
// family.
unsigned ip_prefix_get_common_bits(const struct ip_prefix *prefix, const struct ip_address *address);

bool ip_prefix_contains_address(const struct ip_prefix *prefix, const struct ip_address *address);

// A prefix contains itself.
bool ip_prefix_contains_prefix(const struct ip_prefix *outer, const struct ip_prefix *inner);

// Orders by family, then address, then bits: a prefix comes right before those inside it. < 0, 0, > 0.
int ip_prefix_compare(const struct ip_prefix *a, const struct ip_prefix *b);

#endif
