// Sorted IPv4 addresses by cache lines, and the question how many of them are not above a given one. Inside
// common/ip only.
//
// The span from the first to the last is cut into slots of equal size, a power of two of at most 65 536. Each
// slot has a line: the last 16 bits of its addresses, and how many addresses stand before. So a question
// reads one line, whose place is known from the start, and compares all of it at once.
//
//     slots    first >> shift           ...                       last >> shift
//     lines   [edges 2 x 30 | before | count][edges 2 x 30 | before | count] ...
//
// A slot with more addresses than a line has room for has them elsewhere, and its line says where.
#ifndef LATCHKEY_COMMON_IP_IP_LINES_H
#define LATCHKEY_COMMON_IP_IP_LINES_H

#include <assert.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/base/compiler.h"
#include "common/ip/carver.h"
#include "common/ip/key.h"

#define IP_LINES_MAX 65535
#define IP_LINES_ROOM 30
#define IP_LINES_SHIFT_MAX 16
#define IP_LINES_UNFIT (IP_LINES_SHIFT_MAX + 1)
#define IP_LINES_SIGN (1u << 15) // turned over in what is kept, since SSE2 compares signed numbers

struct ip_line {
    uint16_t lows[IP_LINES_ROOM]; // what is left over is as the largest; crowded: a number of 32 bits
    uint16_t before;              // addresses in the slots before
    uint16_t count;               // in this one
};
static_assert(sizeof(struct ip_line) == 64, "one cache line");

// Zeroed memory has none. What is pointed to belongs to who carved it.
struct ip_lines {
    const struct ip_line *lines; // NULL = none
    const uint16_t *crowded;     // addresses of crowded slots
    uint32_t first, last;        // addresses
    uint32_t last_line;
    uint16_t count;
    uint8_t shift;
};

// Sorted and different, at least one and at most IP_LINES_MAX. The smallest slots with which all of it is not
// larger than so many bytes, or IP_LINES_UNFIT where there are none.
uint8_t ip_lines_choose_shift(const struct ip_key *keys, uint32_t count, size_t bytes_max);

// Lays them out; fills it if the carver has a block.
void ip_lines_build(struct ip_lines *lines, uint8_t shift, const struct ip_key *keys, uint32_t count,
                    struct carver *carver);

struct ip_key ip_lines_get_key(const struct ip_lines *lines, uint32_t i);

// ---- asking ----

// How many of a line's numbers are not above; what is left over may count too.
static inline uint32_t ip_line_count(const struct ip_line *line, uint16_t low) {
#ifdef __SSE2__
    const __m128i *words = (const void *)line;
    __m128i all = _mm_set1_epi16((short)(low ^ IP_LINES_SIGN));
    __m128i a = _mm_cmpgt_epi16(_mm_loadu_si128(words), all);
    __m128i b = _mm_cmpgt_epi16(_mm_loadu_si128(words + 1), all);
    __m128i c = _mm_cmpgt_epi16(_mm_loadu_si128(words + 2), all);
    __m128i d = _mm_cmpgt_epi16(_mm_loadu_si128(words + 3), all);
    uint32_t above = (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(a, b)) |
                     (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(c, d)) << 16;
    return (uint32_t)__builtin_ctz(above | 1u << IP_LINES_ROOM); // sorted: the first one above ends it
#else
    uint32_t count = 0;
    for (unsigned i = 0; i < IP_LINES_ROOM; i++)
        count += (uint16_t)(line->lows[i] ^ IP_LINES_SIGN) <= low;
    return count;
#endif
}

static inline const uint16_t *ip_lines_get_crowded(const struct ip_lines *lines, const struct ip_line *line) {
    uint32_t place;
    memcpy(&place, line->lows, sizeof(place));
    return lines->crowded + place;
}

static inline uint32_t ip_lines_count_crowded(const uint16_t *lows, uint32_t count, uint16_t low) {
    uint32_t begin = 0;
    while (count > 0) {
        uint32_t half = (count + 1) / 2;
        begin += (uint16_t)(lows[begin + half - 1] ^ IP_LINES_SIGN) <= low ? half : 0;
        count -= half;
    }
    return begin;
}

// How many addresses are not above.
static inline uint32_t ip_lines_find(const struct ip_lines *lines, uint32_t address) {
    uint32_t slot = (address >> lines->shift) - (lines->first >> lines->shift);
    slot = slot < lines->last_line ? slot : lines->last_line; // of one before the first it does not matter
    uint16_t low = address > lines->last ? UINT16_MAX : (uint16_t)address;
    const struct ip_line *line = &lines->lines[slot];
    uint32_t count = line->count;
    if (UNLIKELY(count > IP_LINES_ROOM)) {
        count = ip_lines_count_crowded(ip_lines_get_crowded(lines, line), count, low);
    } else {
        uint32_t not_above = ip_line_count(line, low);
        count = not_above < count ? not_above : count;
    }
    return address < lines->first ? 0 : line->before + count;
}

#endif
