#include "common/app/revision.h"

#include <assert.h>
#include <string.h>

enum { FORM = 1, PACKED_SIZE = 18 };
static_assert(PACKED_SIZE % 3 == 0 && PACKED_SIZE / 3 * 4 == REVISION_TEXT_LENGTH,
              "no padding, no spare bits");

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void pack_u64(uint8_t *to, uint64_t value) {
    for (int i = 7; i >= 0; i--, value >>= 8)
        to[i] = (uint8_t)value;
}

static int find_digit(uint8_t character) {
    const char *at = character ? strchr(alphabet, character) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

void revision_format(struct revision revision, char ret_text[REVISION_TEXT_LENGTH + 1]) {
    uint8_t packed[PACKED_SIZE] = {FORM, revision.lane};
    pack_u64(packed + 2, (uint64_t)revision.seq);
    pack_u64(packed + 10, (uint64_t)revision.mark);

    char *to = ret_text;
    for (int i = 0; i < PACKED_SIZE; i += 3) {
        uint32_t group = (uint32_t)packed[i] << 16 | (uint32_t)packed[i + 1] << 8 | packed[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *to++ = alphabet[group >> shift & 63];
    }
    *to = '\0';
}

bool revision_parse(struct bytes text, struct revision *ret_revision) {
    if (text.len != REVISION_TEXT_LENGTH)
        return false;

    uint8_t packed[PACKED_SIZE];
    for (int i = 0; i < PACKED_SIZE / 3; i++) {
        uint32_t group = 0;
        for (int k = 0; k < 4; k++) {
            int digit = find_digit(text.data[i * 4 + k]);
            if (digit < 0)
                return false;
            group = group << 6 | (uint32_t)digit;
        }
        packed[i * 3] = (uint8_t)(group >> 16);
        packed[i * 3 + 1] = (uint8_t)(group >> 8);
        packed[i * 3 + 2] = (uint8_t)group;
    }

    struct cursor cursor = cursor_of(bytes_of(packed, sizeof(packed)));
    uint8_t form = cursor_read_u8(&cursor);
    struct revision revision = {.lane = cursor_read_u8(&cursor)};
    revision.seq = (int64_t)cursor_read_u64(&cursor);
    revision.mark = (int64_t)cursor_read_u64(&cursor);
    if (form != FORM || revision.lane >= LANE_COUNT || revision.seq < 0)
        return false;
    *ret_revision = revision;
    return true;
}
