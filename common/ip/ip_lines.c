#include "common/ip/ip_lines.h"

#include <stddef.h>

static uint32_t get_address(struct ip_key key) {
    return (uint32_t)(key.high >> 32);
}

static uint32_t count_lines(const struct ip_key *keys, uint32_t count, uint8_t shift) {
    return (get_address(keys[count - 1]) >> shift) - (get_address(keys[0]) >> shift) + 1;
}

// From `begin` on, those in the same slot.
static uint32_t find_end(const struct ip_key *keys, uint32_t count, uint8_t shift, uint32_t begin) {
    uint32_t slot = get_address(keys[begin]) >> shift, end = begin + 1;
    while (end < count && get_address(keys[end]) >> shift == slot)
        end++;
    return end;
}

static uint32_t count_crowded(const struct ip_key *keys, uint32_t count, uint8_t shift) {
    uint32_t crowded = 0;
    for (uint32_t begin = 0, end; begin < count; begin = end) {
        end = find_end(keys, count, shift, begin);
        crowded += end - begin > IP_LINES_ROOM ? end - begin : 0;
    }
    return crowded;
}

uint8_t ip_lines_choose_shift(const struct ip_key *keys, uint32_t count, size_t bytes_max) {
    assert(count > 0 && count <= IP_LINES_MAX);
    for (uint8_t shift = 0; shift <= IP_LINES_SHIFT_MAX; shift++) {
        size_t line_bytes = count_lines(keys, count, shift) * sizeof(struct ip_line);
        if (line_bytes <= bytes_max &&
            line_bytes + count_crowded(keys, count, shift) * sizeof(uint16_t) <= bytes_max)
            return shift;
    }
    return IP_LINES_UNFIT;
}

static void fill_lows(uint16_t *lows, const struct ip_key *keys, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        lows[i] = (uint16_t)(get_address(keys[i]) ^ IP_LINES_SIGN);
}

static void fill_empty(struct ip_line *line, uint32_t before) {
    for (unsigned i = 0; i < IP_LINES_ROOM; i++)
        line->lows[i] = UINT16_MAX ^ IP_LINES_SIGN;
    line->before = (uint16_t)before;
    line->count = 0;
}

static void fill(struct ip_line *all, uint16_t *crowded, const struct ip_lines *lines,
                 const struct ip_key *keys) {
    uint32_t place = 0, begin = 0;
    for (uint32_t slot = 0; slot <= lines->last_line; slot++) {
        struct ip_line *line = &all[slot];
        fill_empty(line, begin);
        if ((get_address(keys[begin]) >> lines->shift) - (lines->first >> lines->shift) != slot)
            continue;
        uint32_t end = find_end(keys, lines->count, lines->shift, begin);
        line->count = (uint16_t)(end - begin);
        if (line->count > IP_LINES_ROOM) {
            memcpy(line->lows, &place, sizeof(place));
            fill_lows(crowded + place, keys + begin, line->count);
            place += line->count;
        } else {
            fill_lows(line->lows, keys + begin, line->count);
        }
        begin = end;
    }
}

void ip_lines_build(struct ip_lines *lines, uint8_t shift, const struct ip_key *keys, uint32_t count,
                    struct carver *carver) {
    *lines = (struct ip_lines){.first = get_address(keys[0]),
                               .last = get_address(keys[count - 1]),
                               .last_line = count_lines(keys, count, shift) - 1,
                               .count = (uint16_t)count,
                               .shift = shift};
    struct ip_line *all;
    uint16_t *crowded;
    lines->lines = CARVE(carver, all, lines->last_line + 1);
    lines->crowded = CARVE(carver, crowded, count_crowded(keys, count, shift));
    if (carver->block)
        fill(all, crowded, lines, keys);
}

struct ip_key ip_lines_get_key(const struct ip_lines *lines, uint32_t i) {
    uint32_t slot = 0;
    for (uint32_t left = lines->last_line; left > 0;) {
        uint32_t half = (left + 1) / 2;
        slot += lines->lines[slot + half].before <= i ? half : 0;
        left -= half;
    }
    const struct ip_line *line = &lines->lines[slot];
    const uint16_t *lows = line->count > IP_LINES_ROOM ? ip_lines_get_crowded(lines, line) : line->lows;
    uint32_t high = ((lines->first >> lines->shift) + slot) << lines->shift & ~(uint32_t)UINT16_MAX;
    return (struct ip_key){(uint64_t)(high | (uint16_t)(lows[i - line->before] ^ IP_LINES_SIGN)) << 32, 0};
}
