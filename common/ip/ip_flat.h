// The smallest sets, which most are: up to eight prefixes one after the other, compared without a branch. All
// of it, with eight IPv4 prefixes that do not end, is 48 bytes in one cache line. Inside common/ip only.
//
//     [header 8][ends 8 each, if any ends][IPv6 keys 16 each][IPv4 keys 4 each][bits 1 each]
//
// Bits and ends: IPv6 first.
#ifndef LATCHKEY_COMMON_IP_IP_FLAT_H
#define LATCHKEY_COMMON_IP_IP_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/ip/ip_record.h"

#define IP_FLAT_MAX 8

struct ip_flat {
    uint8_t v6_count, v4_count;
    bool has_ends;
};

// What follows the header, as pointers.
struct ip_flat_parts {
    const int64_t *ends; // NULL = nothing ends
    const struct ip_key *wide_keys;
    const uint32_t *narrow_keys;
    const uint8_t *bits;
};

struct ip_flat ip_flat_of(struct ip_records v4, struct ip_records v6);

size_t ip_flat_get_size_bytes(const struct ip_flat *flat); // of what follows
void ip_flat_fill(const struct ip_flat *flat, struct ip_records v4, struct ip_records v6, void *data);

struct ip_record ip_flat_get_record(const struct ip_flat *flat, const void *data, unsigned i);

static inline unsigned ip_flat_get_count(const struct ip_flat *flat) {
    return (unsigned)flat->v6_count + flat->v4_count;
}

static inline struct ip_flat_parts ip_flat_get_parts(const struct ip_flat *flat, const void *data) {
    const uint8_t *at = data;
    struct ip_flat_parts parts = {.ends = flat->has_ends ? data : NULL};
    at += flat->has_ends ? ip_flat_get_count(flat) * sizeof(int64_t) : 0;
    parts.wide_keys = (const void *)at;
    at += flat->v6_count * sizeof(struct ip_key);
    parts.narrow_keys = (const void *)at;
    parts.bits = at + flat->v4_count * sizeof(uint32_t);
    return parts;
}

static inline bool ip_flat_contains(const struct ip_flat *flat, const void *data, uint8_t family,
                                    struct ip_key key, int64_t now_ms) {
    struct ip_flat_parts parts = ip_flat_get_parts(flat, data);
    bool is_in = false;
    if (family == IP_FAMILY_V6) {
        for (unsigned i = 0; i < flat->v6_count; i++)
            is_in |= ip_key_is_within(key, parts.wide_keys[i], parts.bits[i]) &
                     (!parts.ends || parts.ends[i] > now_ms);
        return is_in;
    }
    const uint8_t *bits = parts.bits + flat->v6_count;
    const int64_t *ends = parts.ends ? parts.ends + flat->v6_count : NULL;
    uint32_t address = (uint32_t)(key.high >> 32);
    for (unsigned i = 0; i < flat->v4_count; i++) {
        uint64_t difference = address ^ parts.narrow_keys[i];
        is_in |= (difference >> (32 - bits[i]) == 0) & (!ends || ends[i] > now_ms);
    }
    return is_in;
}

#endif
