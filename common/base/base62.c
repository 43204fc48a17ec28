// 256-bit numbers are divided and multiplied by 62 in eight 32-bit limbs, most significant first: 43 rounds
// of eight steps, which is nothing beside the SHA-256 that goes with every secret.
#include "common/base/base62.h"

#include <assert.h>
#include <string.h>

enum { BASE = 62, LIMBS = 8, CHUNK = 16 };

static const char digits[BASE + 1] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// BASE for what is no digit. why a table: the characters of a secret are random, and each of three
// comparisons would be a guess.
#define VALUE(c)                                      \
    ((c) >= '0' && (c) <= '9'   ? (c) - '0'           \
     : (c) >= 'A' && (c) <= 'Z' ? (c) - 'A' + 10      \
     : (c) >= 'a' && (c) <= 'z' ? (c) - 'a' + 10 + 26 \
                                : BASE)
#define VALUES_4(c) VALUE(c), VALUE((c) + 1), VALUE((c) + 2), VALUE((c) + 3)
#define VALUES_16(c) VALUES_4(c), VALUES_4((c) + 4), VALUES_4((c) + 8), VALUES_4((c) + 12)
#define VALUES_64(c) VALUES_16(c), VALUES_16((c) + 16), VALUES_16((c) + 32), VALUES_16((c) + 48)

static const uint8_t values[256] = {VALUES_64(0), VALUES_64(64), VALUES_64(128), VALUES_64(192)};

// Divides in place and returns the remainder.
static unsigned divide_by_base(uint32_t limbs[LIMBS]) {
    uint64_t remainder = 0;
    for (unsigned i = 0; i < LIMBS; i++) {
        uint64_t dividend = remainder << 32 | limbs[i];
        limbs[i] = (uint32_t)(dividend / BASE);
        remainder = dividend % BASE;
    }
    return (unsigned)remainder;
}

// Multiplies by the base and adds; what does not fit in 256 bits is returned.
static uint32_t multiply_by_base_and_add(uint32_t limbs[LIMBS], unsigned digit) {
    uint64_t carry = digit;
    for (unsigned i = LIMBS; i-- > 0;) {
        uint64_t product = (uint64_t)limbs[i] * BASE + carry;
        limbs[i] = (uint32_t)product;
        carry = product >> 32;
    }
    return (uint32_t)carry;
}

bool base62_is_digit(uint8_t character) {
    return values[character] < BASE;
}

// Zero for a digit. By comparisons without a branch, so that the compiler makes one step of sixteen.
static uint8_t judge_digit(uint8_t c) {
    uint8_t is_figure = (uint8_t)(c - '0') <= 9, is_letter = (uint8_t)((c | 0x20) - 'a') <= 'z' - 'a';
    return !(is_figure | is_letter);
}

static void judge_chunk(const uint8_t *chunk, uint8_t bad[CHUNK]) {
    for (size_t i = 0; i < CHUNK; i++)
        bad[i] |= judge_digit(chunk[i]);
}

static bool is_all_zero(const uint8_t bad[CHUNK]) {
    static const uint8_t zero[CHUNK];
    return memcmp(bad, zero, CHUNK) == 0;
}

// The last chunk overlaps the one before.
bool base62_is_number(struct bytes text) {
    uint8_t bad[CHUNK] = {text.len == 0};
    if (text.len < CHUNK) {
        for (size_t i = 0; i < text.len; i++)
            bad[i] |= judge_digit(text.data[i]);
        return is_all_zero(bad);
    }
    for (size_t i = 0; i + CHUNK < text.len; i += CHUNK)
        judge_chunk(text.data + i, bad);
    judge_chunk(text.data + text.len - CHUNK, bad);
    return is_all_zero(bad);
}

void base62_encode_u32(uint32_t value, char *ret_text, unsigned width) {
    for (unsigned i = width; i-- > 0; value /= BASE)
        ret_text[i] = digits[value % BASE];
    assert(value == 0);
}

void base62_encode_256(const uint8_t value[32], char ret_text[BASE62_LENGTH_256]) {
    uint32_t limbs[LIMBS];
    struct cursor cursor = cursor_of(bytes_of(value, 32));
    for (unsigned i = 0; i < LIMBS; i++)
        limbs[i] = cursor_read_u32(&cursor);
    for (unsigned i = BASE62_LENGTH_256; i-- > 0;)
        ret_text[i] = digits[divide_by_base(limbs)];
}

bool base62_decode_u32(struct bytes text, uint32_t *ret_value) {
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = values[text.data[i]];
        if (digit == BASE)
            return false;
        value = value * BASE + digit;
        if (value > UINT32_MAX)
            return false;
    }
    if (text.len == 0)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

bool base62_decode_256(struct bytes text, uint8_t ret_value[32]) {
    if (text.len != BASE62_LENGTH_256)
        return false;
    uint32_t limbs[LIMBS] = {0};
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = values[text.data[i]];
        if (digit == BASE || multiply_by_base_and_add(limbs, digit) != 0)
            return false;
    }
    for (unsigned i = 0; i < 32; i++)
        ret_value[i] = (uint8_t)(limbs[i / 4] >> (24 - 8 * (i % 4)));
    return true;
}
