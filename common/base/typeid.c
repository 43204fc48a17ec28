// The suffix is 130 bits for 128: the two highest are zero, which is why the first character is at most '7'.
#include "common/base/typeid.h"

#include <assert.h>
#include <endian.h>

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

#define ONES UINT64_C(0x0101010101010101)

struct halves {
    uint64_t high, low;
};

static struct halves split_uuid(struct uuid uuid) {
    struct halves halves;
    memcpy(&halves.high, uuid.bytes, 8);
    memcpy(&halves.low, uuid.bytes + 8, 8);
    return (struct halves){be64toh(halves.high), be64toh(halves.low)};
}

static struct uuid join_uuid(struct halves halves) {
    struct uuid uuid;
    for (unsigned i = 0; i < 8; i++) {
        uuid.bytes[i] = (uint8_t)(halves.high >> (56 - 8 * i));
        uuid.bytes[8 + i] = (uint8_t)(halves.low >> (56 - 8 * i));
    }
    return uuid;
}

// Eight digits, one a byte, of 40 bits, the first on top.
static uint64_t spread(uint64_t bits) {
    bits = (bits >> 20 & 0xfffff) << 32 | (bits & 0xfffff);
    bits = (bits & 0x000ffc00000ffc00) << 6 | (bits & 0x000003ff000003ff);
    return (bits & 0x03e003e003e003e0) << 3 | (bits & 0x001f001f001f001f);
}

// A one in each byte that is above `bound`.
static uint64_t find_above(uint64_t digits, uint64_t bound) {
    return (digits + (0x7f - bound) * ONES) >> 7 & ONES;
}

// alphabet[digit] of eight digits, one a byte: no sum leaves its byte. why not in the compiler's vectors:
// they would wait for the words that they are put together of.
static uint64_t get_characters(uint64_t digits) {
    return digits + '0' * ONES + find_above(digits, 9) * ('a' - '9' - 1) + find_above(digits, 17) +
           find_above(digits, 19) + find_above(digits, 21) + find_above(digits, 26);
}

// The first two digits have ten bits, which are eight; the rest is three times eight digits.
static void write_suffix(struct uuid uuid, char ret_text[TYPEID_SUFFIX_LENGTH]) {
    struct halves value = split_uuid(uuid);
    uint64_t first = get_characters(value.high >> 61 << 8 | (value.high >> 56 & 31));
    const uint64_t words[] = {htobe64(get_characters(spread(value.high >> 16))),
                              htobe64(get_characters(spread(value.high << 24 | value.low >> 40))),
                              htobe64(get_characters(spread(value.low)))};
    ret_text[0] = (char)(first >> 8);
    ret_text[1] = (char)first;
    memcpy(ret_text + 2, words, sizeof(words));
}

// Exactly TYPEID_SUFFIX_LENGTH characters at `text`.
static bool parse_suffix(const uint8_t *text, struct uuid *ret_uuid) {
    if (text[0] > '7')
        return false;
    struct halves value = {0, 0};
    for (unsigned i = 0; i < TYPEID_SUFFIX_LENGTH; i++) {
        const char *found = memchr(alphabet, text[i], sizeof(alphabet) - 1);
        if (!found)
            return false;
        value.high = value.high << 5 | value.low >> 59;
        value.low = value.low << 5 | (uint64_t)(found - alphabet);
    }
    *ret_uuid = join_uuid(value);
    return true;
}

static bool is_valid_prefix(struct bytes prefix) {
    if (prefix.len == 0)
        return true;
    if (prefix.len > TYPEID_PREFIX_MAX || prefix.data[0] == '_' || prefix.data[prefix.len - 1] == '_')
        return false;
    for (size_t i = 0; i < prefix.len; i++)
        if (prefix.data[i] != '_' && (prefix.data[i] < 'a' || prefix.data[i] > 'z'))
            return false;
    return true;
}

struct typeid typeid_of(const char *prefix, struct uuid uuid) {
    struct typeid id;
    assert(strlen(prefix) == 3);
    memcpy(id.text, prefix, 3);
    id.text[3] = '_';
    write_suffix(uuid, id.text + 4);
    id.text[4 + TYPEID_SUFFIX_LENGTH] = '\0';
    return id;
}

char **typeid_list_format(const char *prefix, const struct uuid *uuids, size_t count, struct arena *arena) {
    char **texts = ARENA_NEW_ARRAY(arena, char *, count);
    struct typeid *ids = ARENA_NEW_ARRAY(arena, struct typeid, count);
    if (!texts || !ids)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        ids[i] = typeid_of(prefix, uuids[i]);
        texts[i] = ids[i].text;
    }
    return texts;
}

void typeid_format(struct bytes prefix, struct uuid uuid, char *ret_text) {
    assert(is_valid_prefix(prefix));
    char *at = ret_text;
    if (prefix.len > 0) {
        memcpy(at, prefix.data, prefix.len);
        at += prefix.len;
        *at++ = '_';
    }
    write_suffix(uuid, at);
    at[TYPEID_SUFFIX_LENGTH] = '\0';
}

bool typeid_parse(struct bytes text, const char *prefix, struct uuid *ret_uuid) {
    struct bytes expected = bytes_of_text(prefix);
    return text.len == expected.len + 1 + TYPEID_SUFFIX_LENGTH && bytes_has_prefix(text, expected) &&
           text.data[expected.len] == '_' && parse_suffix(text.data + expected.len + 1, ret_uuid);
}

bool typeid_parse_any(struct bytes text, struct bytes *ret_prefix, struct uuid *ret_uuid) {
    if (text.len < TYPEID_SUFFIX_LENGTH)
        return false;
    struct bytes before = bytes_of(text.data, text.len - TYPEID_SUFFIX_LENGTH);
    struct bytes prefix = BYTES_EMPTY;
    if (before.len > 0) {
        prefix = bytes_of(before.data, before.len - 1);
        if (before.data[before.len - 1] != '_' || prefix.len == 0 || !is_valid_prefix(prefix))
            return false;
    }
    if (!parse_suffix(text.data + before.len, ret_uuid))
        return false;
    *ret_prefix = prefix;
    return true;
}
