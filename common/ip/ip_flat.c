#include "common/ip/ip_flat.h"

#include <assert.h>

static bool has_end(struct ip_records records) {
    for (size_t i = 0; i < records.count; i++)
        if (records.records[i].ends_at_ms != CLOCK_NEVER_MS)
            return true;
    return false;
}

struct ip_flat ip_flat_of(struct ip_records v4, struct ip_records v6) {
    assert(v4.count + v6.count <= IP_FLAT_MAX);
    return (struct ip_flat){
        .v6_count = (uint8_t)v6.count, .v4_count = (uint8_t)v4.count, .has_ends = has_end(v4) || has_end(v6)};
}

size_t ip_flat_get_size_bytes(const struct ip_flat *flat) {
    unsigned count = ip_flat_get_count(flat);
    return (flat->has_ends ? count * sizeof(int64_t) : 0) + flat->v6_count * sizeof(struct ip_key) +
           flat->v4_count * sizeof(uint32_t) + count;
}

void ip_flat_fill(const struct ip_flat *flat, struct ip_records v4, struct ip_records v6, void *data) {
    struct ip_flat_parts parts = ip_flat_get_parts(flat, data);
    for (unsigned i = 0; i < ip_flat_get_count(flat); i++) {
        const struct ip_record *record = i < v6.count ? &v6.records[i] : &v4.records[i - v6.count];
        if (i < v6.count)
            ((struct ip_key *)parts.wide_keys)[i] = record->key;
        else
            ((uint32_t *)parts.narrow_keys)[i - v6.count] = (uint32_t)(record->key.high >> 32);
        ((uint8_t *)parts.bits)[i] = record->bits;
        if (parts.ends)
            ((int64_t *)parts.ends)[i] = record->ends_at_ms;
    }
}

struct ip_record ip_flat_get_record(const struct ip_flat *flat, const void *data, unsigned i) {
    struct ip_flat_parts parts = ip_flat_get_parts(flat, data);
    bool is_v6 = i < flat->v6_count;
    return (struct ip_record){
        .key = is_v6 ? parts.wide_keys[i]
                     : (struct ip_key){(uint64_t)parts.narrow_keys[i - flat->v6_count] << 32, 0},
        .ends_at_ms = parts.ends ? parts.ends[i] : CLOCK_NEVER_MS,
        .bits = parts.bits[i],
        .family = is_v6 ? IP_FAMILY_V6 : IP_FAMILY_V4,
    };
}
