// Prefixes on their way into a set: sorted by family, key and bits, so that a prefix comes right before those
// inside it. Inside common/ip only.
#ifndef LATCHKEY_COMMON_IP_IP_RECORD_H
#define LATCHKEY_COMMON_IP_IP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/ip/key.h"
#include "common/ip/prefix.h"

struct ip_record {
    struct ip_key key;
    int64_t ends_at_ms;
    uint8_t bits;
    uint8_t family;
    bool is_gone; // of a change: the set has this prefix no more
};

// Records of one family, in order. Borrows.
struct ip_records {
    const struct ip_record *records;
    size_t count;
    uint8_t family;
};

struct ip_record ip_record_of(const struct ip_prefix *prefix, int64_t ends_at_ms);

int ip_record_compare(const struct ip_record *a, const struct ip_record *b);

// Sorts, and keeps one record of each prefix: the one that ends last, and a gone one only where there is no
// other. False when out of memory.
MUST_CHECK bool ip_record_sort(struct ip_record *records, size_t *count);

// Of sorted records, those of the family.
struct ip_records ip_record_select(const struct ip_record *records, size_t count, uint8_t family);

// Old records with a change made to them: what is gone left out, what is new put in its place. `ret` has room
// for both. Returns how many there are.
size_t ip_record_merge(struct ip_records old, struct ip_records changes, struct ip_record *ret);

#endif
