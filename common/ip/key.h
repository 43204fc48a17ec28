// Addresses as numbers: 128 bits in two machine words, an IPv4 address in the topmost 32, so that one
// arithmetic serves both families. Bit 0 is the most significant. Inside common/ip only.
#ifndef LATCHKEY_COMMON_IP_KEY_H
#define LATCHKEY_COMMON_IP_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/ip/address.h"

struct ip_key {
    uint64_t high, low;
};

static inline uint64_t ip_key_load_word(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline struct ip_key ip_key_of(const struct ip_address *address) {
    return (struct ip_key){ip_key_load_word(address->bytes), ip_key_load_word(address->bytes + 8)};
}

static inline struct ip_address ip_key_get_address(struct ip_key key, uint8_t family) {
    struct ip_address address = {.family = family};
    for (unsigned i = 0; i < 8; i++) {
        address.bytes[i] = (uint8_t)(key.high >> (56 - 8 * i));
        address.bytes[8 + i] = (uint8_t)(key.low >> (56 - 8 * i));
    }
    return address;
}

static inline bool ip_key_is_equal(struct ip_key a, struct ip_key b) {
    return a.high == b.high && a.low == b.low;
}

static inline int ip_key_compare(struct ip_key a, struct ip_key b) {
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return (a.low > b.low) - (a.low < b.low);
}

// How many leading bits are equal, 128 if all are.
static inline unsigned ip_key_get_common_bits(struct ip_key a, struct ip_key b) {
    if (a.high != b.high)
        return (unsigned)__builtin_clzll(a.high ^ b.high);
    return a.low != b.low ? 64 + (unsigned)__builtin_clzll(a.low ^ b.low) : 128;
}

// Ones in the first `bits` of a word, 0..64.
static inline uint64_t ip_key_get_word_mask(unsigned bits) {
    return bits == 0 ? 0 : UINT64_MAX << (64 - bits);
}

static inline struct ip_key ip_key_get_mask(unsigned bits) {
    return (struct ip_key){ip_key_get_word_mask(bits < 64 ? bits : 64),
                           ip_key_get_word_mask(bits < 64 ? 0 : bits - 64)};
}

// The last address of a prefix.
static inline struct ip_key ip_key_get_last(struct ip_key prefix, unsigned bits) {
    struct ip_key mask = ip_key_get_mask(bits);
    return (struct ip_key){prefix.high | ~mask.high, prefix.low | ~mask.low};
}

static inline struct ip_key ip_key_mask(struct ip_key key, unsigned bits) {
    struct ip_key mask = ip_key_get_mask(bits);
    return (struct ip_key){key.high & mask.high, key.low & mask.low};
}

// The address with all but its first `bits` cleared.
static inline struct ip_key ip_key_of_prefix(const struct ip_address *address, unsigned bits) {
    return ip_key_mask(ip_key_of(address), bits);
}

// Whether the first `bits` are equal; no branch.
static inline bool ip_key_is_within(struct ip_key key, struct ip_key prefix, unsigned bits) {
    struct ip_key mask = ip_key_get_mask(bits);
    return (((key.high ^ prefix.high) & mask.high) | ((key.low ^ prefix.low) & mask.low)) == 0;
}

#endif
