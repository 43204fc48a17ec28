#include "common/protobuf/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Returns where the digits end.
static uint8_t *write_digits(struct bytes from, uint8_t *to) {
    for (size_t i = 0; i < from.len; i += 3) {
        size_t group = from.len - i < 3 ? from.len - i : 3;
        uint32_t bits = (uint32_t)from.data[i] << 16;
        bits |= group > 1 ? (uint32_t)from.data[i + 1] << 8 : 0;
        bits |= group > 2 ? from.data[i + 2] : 0;
        for (size_t digit = 0; digit <= group; digit++)
            *to++ = (uint8_t)alphabet[bits >> (18 - 6 * digit) & 63];
    }
    return to;
}

struct bytes base64_encode(struct arena *arena, struct bytes from) {
    size_t len = from.len / 3 * 4 + (from.len % 3 ? from.len % 3 + 1 : 0);
    uint8_t *text = arena_allocate(arena, len);
    if (!text)
        return BYTES_EMPTY;
    write_digits(from, text);
    return bytes_of(text, len);
}

void base64_write_padded(struct bytes from, uint8_t *to) {
    uint8_t *end = to + base64_measure_padded(from.len);
    for (to = write_digits(from, to); to < end; to++)
        *to = '=';
}

static int value_of_digit(uint8_t digit) {
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

// Padding is all or nothing: with it the text is a multiple of four long and at most two digits are missing.
static bool strip_padding(struct bytes *text) {
    size_t padding = 0;
    while (padding < 2 && padding < text->len && text->data[text->len - 1 - padding] == '=')
        padding++;
    bool is_valid = padding == 0 || text->len % 4 == 0;
    text->len -= padding;
    return is_valid && text->len % 4 != 1;
}

// `*ret_left_over`: the last digit's bits beyond the last whole byte.
static enum status decode(struct arena *arena, struct bytes from, int (*value_of)(uint8_t digit),
                          struct bytes *ret_bytes, uint32_t *ret_left_over) {
    if (!strip_padding(&from))
        return STATUS_INVALID;
    uint8_t *bytes = arena_allocate(arena, from.len / 4 * 3 + 2);
    if (!bytes)
        return STATUS_NO_MEMORY;
    size_t len = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < from.len; i++) {
        int value = value_of(from.data[i]);
        if (value < 0)
            return STATUS_INVALID;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0)
            bytes[len++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    unsigned left_over = from.len % 4 == 2 ? 4 : from.len % 4 == 3 ? 2 : 0;
    *ret_left_over = bits & ((1u << left_over) - 1);
    *ret_bytes = bytes_of(bytes, len);
    return STATUS_OK;
}

// What is left over must be zero, or two texts would mean the same bytes.
enum status base64_decode(struct arena *arena, struct bytes from, struct bytes *ret_bytes) {
    struct bytes bytes;
    uint32_t left_over;
    enum status status = decode(arena, from, value_of_digit, &bytes, &left_over);
    if (status != STATUS_OK)
        return status;
    if (left_over != 0)
        return STATUS_INVALID;
    *ret_bytes = bytes;
    return STATUS_OK;
}

static int value_of_any_digit(uint8_t digit) {
    return value_of_digit(digit == '-' ? '+' : digit == '_' ? '/' : digit);
}

enum status base64_decode_any(struct arena *arena, struct bytes from, struct bytes *ret_bytes) {
    uint32_t ignored;
    return decode(arena, from, value_of_any_digit, ret_bytes, &ignored);
}
