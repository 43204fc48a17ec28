#include "common/ip/ip_rank.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

enum { FEW_KEYS = 2 * IP_RANK_STEP, MANY_KEYS = 1024 };

static uint64_t get_topmost(uint8_t family, struct ip_key key) {
    return family == IP_FAMILY_V4 ? key.high >> 32 : key.high;
}

static bool has_low(const struct ip_key *keys, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (keys[i].low != 0)
            return true;
    return false;
}

static void fill_narrow(uint32_t *narrow, const struct ip_key *keys, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        narrow[i] = (uint32_t)(keys[i].high >> 32) ^ IP_RANK_SIGN;
    for (uint32_t i = 0; i < IP_RANK_STEP; i++)
        narrow[count + i] = 0; // read, but never counted
}

static void fill_wide(uint64_t *high, uint64_t *low, const struct ip_key *keys, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        high[i] = keys[i].high;
        if (low)
            low[i] = keys[i].low;
    }
}

static void lay_out_keys(struct ip_rank *rank, uint8_t family, const struct ip_key *keys,
                         struct carver *carver) {
    if (family == IP_FAMILY_V4) {
        uint32_t *narrow;
        rank->narrow = CARVE(carver, narrow, rank->count + IP_RANK_STEP);
        if (carver->block)
            fill_narrow(narrow, keys, rank->count);
        return;
    }
    uint64_t *high, *low = NULL;
    rank->high = CARVE(carver, high, rank->count);
    if (has_low(keys, rank->count))
        rank->low = CARVE(carver, low, rank->count);
    if (carver->block)
        fill_wide(high, low, keys, rank->count);
}

// slots[s + 1] = how many keys stand before slot s.
static void fill_slots(uint16_t *slots, const struct ip_rank *rank, uint8_t family,
                       const struct ip_key *keys) {
    uint32_t i = 0;
    slots[0] = 0;
    for (uint32_t slot = 0; slot < rank->slot_count; slot++) {
        while (i < rank->count && (get_topmost(family, keys[i]) - rank->first) >> rank->shift < slot)
            i++;
        slots[slot + 1] = (uint16_t)i;
    }
    slots[rank->slot_count + 1] = slots[rank->slot_count + 2] = rank->count;
}

// Many addresses share their slots by two, which is a byte each; few can afford two slots each.
static uint64_t get_slots_max(uint32_t count) {
    return count >= MANY_KEYS ? count / 2 : count * 2;
}

void ip_rank_build(struct ip_rank *rank, uint8_t family, const struct ip_key *keys, uint32_t count,
                   struct carver *carver) {
    assert(count <= IP_RANK_MAX);
    *rank = (struct ip_rank){.count = (uint16_t)count};
    if (count == 0)
        return;
    lay_out_keys(rank, family, keys, carver);
    if (count <= FEW_KEYS)
        return;
    rank->first = get_topmost(family, keys[0]);
    uint64_t span = get_topmost(family, keys[count - 1]) - rank->first;
    while (span >> rank->shift >= get_slots_max(count))
        rank->shift++;
    rank->slot_count = (uint32_t)(span >> rank->shift) + 1;
    uint16_t *slots;
    rank->slots = CARVE(carver, slots, rank->slot_count + 3);
    if (carver->block)
        fill_slots(slots, rank, family, keys);
}
