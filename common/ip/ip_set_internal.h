// The inside of a set, shared by ip_set*.c.
#ifndef LATCHKEY_COMMON_IP_IP_SET_INTERNAL_H
#define LATCHKEY_COMMON_IP_IP_SET_INTERNAL_H

#include <assert.h>

#include "common/ip/ip_blocks.h"
#include "common/ip/ip_flat.h"
#include "common/ip/ip_set.h"

// What follows is either the data of the flat form, or blocks.
struct ip_set {
    uint32_t size_bytes; // of this memory
    struct ip_flat flat; // all zero where there are blocks
    bool has_blocks;
    struct ip_blocks blocks[]; // IPv4, IPv6
};

static_assert(offsetof(struct ip_set, blocks) == 8, "eight flat prefixes and the header are one cache line");

// The blocks of a family, in a set that has some.
static inline const struct ip_blocks *ip_set_get_blocks(const struct ip_set *set, uint8_t family) {
    return &set->blocks[family == IP_FAMILY_V6];
}

static inline struct ip_set_entry ip_set_get_entry(struct ip_record record) {
    return (struct ip_set_entry){
        .prefix = {.address = ip_key_get_address(record.key, record.family), .bits = record.bits},
        .ends_at_ms = record.ends_at_ms};
}

// All records in order: IPv4, then IPv6. A zeroed walk begins. False after the last one.
struct ip_set_walk {
    uint8_t family_number;
    uint32_t block;
    uint32_t entry;
};
bool ip_set_walk_next(struct ip_set_walk *walk, const struct ip_set *set, struct ip_record *ret);

// The same into an array with room for ip_set_get_count().
void ip_set_copy_records(const struct ip_set *set, struct ip_record *ret);

#endif
