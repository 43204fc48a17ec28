#include "common/grpc/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct bytes base64_encode(struct arena *arena, struct bytes from) {
    size_t len = from.len / 3 * 4 + (from.len % 3 ? from.len % 3 + 1 : 0);
    uint8_t *text = arena_allocate(arena, len);
    if (!text)
        return BYTES_EMPTY;
    uint8_t *end = text;
    for (size_t i = 0; i < from.len; i += 3) {
        size_t group = from.len - i < 3 ? from.len - i : 3;
        uint32_t bits = (uint32_t)from.data[i] << 16;
        bits |= group > 1 ? (uint32_t)from.data[i + 1] << 8 : 0;
        bits |= group > 2 ? from.data[i + 2] : 0;
        for (size_t digit = 0; digit <= group; digit++)
            *end++ = (uint8_t)alphabet[bits >> (18 - 6 * digit) & 63];
    }
    return bytes_of(text, len);
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

enum status base64_decode(struct arena *arena, struct bytes from, struct bytes *ret_bytes) {
    if (!strip_padding(&from))
        return STATUS_INVALID;
    uint8_t *bytes = arena_allocate(arena, from.len / 4 * 3 + 2);
    if (!bytes)
        return STATUS_NO_MEMORY;
    size_t len = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < from.len; i++) {
        int value = value_of_digit(from.data[i]);
        if (value < 0)
            return STATUS_INVALID;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0)
            bytes[len++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    // The last digit's bits beyond the last whole byte must be zero, or two texts would mean the same bytes.
    unsigned left_over = from.len % 4 == 2 ? 4 : from.len % 4 == 3 ? 2 : 0;
    if (bits & ((1u << left_over) - 1))
        return STATUS_INVALID;
    *ret_bytes = bytes_of(bytes, len);
    return STATUS_OK;
}
