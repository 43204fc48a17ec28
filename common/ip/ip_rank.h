// Sorted addresses of one family, and the question how many of them are not above a given one. Inside
// common/ip only.
//
// The span from the first to the last is cut into slots of equal size, a power of two, about one for every
// two addresses, more where they are few; `slots` says how many addresses stand before each. So a question
// reads one slot, and then the few addresses in it, which share a cache line where addresses are spread
// evenly; in a crowded slot it halves first. A question touches two places, and the first can be fetched
// before the second is known.
//
//     slots   [0][0][3][3][7] ...      s = (address - first) >> shift
//                 ^ s+1   \___ end
//     keys    [a b c][d e f g] ...
//
// IPv4 addresses are 32-bit numbers with the topmost bit turned over, since SSE2 compares signed ones. IPv6
// addresses are two arrays of halves; the lower halves are left out when all are zero, as they are unless a
// list has prefixes longer than /64.
#ifndef LATCHKEY_COMMON_IP_IP_RANK_H
#define LATCHKEY_COMMON_IP_IP_RANK_H

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/ip/carver.h"
#include "common/ip/key.h"

#define IP_RANK_MAX 65535
#define IP_RANK_STEP 8 // IPv4 addresses compared at once; so many stand behind the last one
#define IP_RANK_SIGN (1u << 31)

// Zeroed memory is an empty one. What is pointed to belongs to who carved it.
struct ip_rank {
    uint64_t first;        // the topmost 64 bits (IPv6) or 32 bits (IPv4) of the smallest address
    const uint16_t *slots; // slot_count + 3: before the first slot, in each, behind the last; NULL = no slots
    const uint32_t *narrow;
    const uint64_t *high, *low;
    uint32_t slot_count;
    uint16_t count;
    uint8_t shift;
};

// Lays out the addresses, sorted and different, at most IP_RANK_MAX; fills it if the carver has a block.
void ip_rank_build(struct ip_rank *rank, uint8_t family, const struct ip_key *keys, uint32_t count,
                   struct carver *carver);

struct ip_rank_range {
    uint32_t begin, count;
};

static inline struct ip_rank_range ip_rank_get_slot(const struct ip_rank *rank, uint64_t address) {
    if (!rank->slots)
        return (struct ip_rank_range){0, rank->count};
    uint64_t slot = (address - rank->first) >> rank->shift;
    slot = slot < rank->slot_count ? slot : rank->slot_count;
    slot = address < rank->first ? 0 : slot + 1;
    uint32_t begin = rank->slots[slot];
    return (struct ip_rank_range){begin, rank->slots[slot + 1] - begin};
}

// How many of the next IP_RANK_STEP addresses are not above.
static inline uint32_t ip_rank_count_step(const uint32_t *narrow, uint32_t address) {
#ifdef __SSE2__
    __m128i all = _mm_set1_epi32((int)address);
    __m128i low = _mm_loadu_si128((const void *)narrow), high = _mm_loadu_si128((const void *)(narrow + 4));
    __m128i above = _mm_packs_epi32(_mm_cmpgt_epi32(low, all), _mm_cmpgt_epi32(high, all));
    unsigned mask = (unsigned)_mm_movemask_epi8(_mm_packs_epi16(above, above)) | 1u << IP_RANK_STEP;
    return (uint32_t)__builtin_ctz(mask); // sorted: the first one above ends it
#else
    uint32_t count = 0;
    for (unsigned i = 0; i < IP_RANK_STEP; i++)
        count += (int32_t)narrow[i] <= (int32_t)address;
    return count;
#endif
}

static inline uint32_t ip_rank_find_narrow(const struct ip_rank *rank, uint32_t address) {
    struct ip_rank_range range = ip_rank_get_slot(rank, address);
    uint32_t turned = address ^ IP_RANK_SIGN;
    while (range.count > IP_RANK_STEP) {
        uint32_t half = range.count / 2;
        range.begin += (int32_t)rank->narrow[range.begin + half - 1] <= (int32_t)turned ? half : 0;
        range.count -= half;
    }
    uint32_t count = ip_rank_count_step(rank->narrow + range.begin, turned);
    return range.begin + (count < range.count ? count : range.count);
}

static inline int ip_rank_is_up_to(const struct ip_rank *rank, uint32_t i, struct ip_key key) {
    uint64_t high = rank->high[i];
    return high < key.high || (high == key.high && (!rank->low || rank->low[i] <= key.low));
}

static inline uint32_t ip_rank_find_wide(const struct ip_rank *rank, struct ip_key key) {
    struct ip_rank_range range = ip_rank_get_slot(rank, key.high);
    while (range.count > 0) {
        uint32_t half = (range.count + 1) / 2;
        range.begin += ip_rank_is_up_to(rank, range.begin + half - 1, key) ? half : 0;
        range.count -= half;
    }
    return range.begin;
}

// How many addresses are not above `key`.
static inline uint32_t ip_rank_find(const struct ip_rank *rank, struct ip_key key) {
    return rank->narrow ? ip_rank_find_narrow(rank, (uint32_t)(key.high >> 32))
                        : ip_rank_find_wide(rank, key);
}

static inline struct ip_key ip_rank_get_key(const struct ip_rank *rank, uint32_t i) {
    if (rank->narrow)
        return (struct ip_key){(uint64_t)(rank->narrow[i] ^ IP_RANK_SIGN) << 32, 0};
    return (struct ip_key){rank->high[i], rank->low ? rank->low[i] : 0};
}

#endif
