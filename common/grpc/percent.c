#include "common/grpc/percent.h"

static const char digits[] = "0123456789ABCDEF";

static bool is_plain(uint8_t byte) {
    return byte >= 0x20 && byte <= 0x7e && byte != '%';
}

struct bytes percent_encode(struct arena *arena, struct bytes from) {
    size_t extra = 0;
    for (size_t i = 0; i < from.len; i++)
        extra += is_plain(from.data[i]) ? 0 : 2;
    if (extra == 0)
        return from;
    uint8_t *text = arena_allocate(arena, from.len + extra);
    if (!text)
        return BYTES_EMPTY;
    uint8_t *end = text;
    for (size_t i = 0; i < from.len; i++) {
        uint8_t byte = from.data[i];
        if (is_plain(byte)) {
            *end++ = byte;
            continue;
        }
        *end++ = '%';
        *end++ = (uint8_t)digits[byte >> 4];
        *end++ = (uint8_t)digits[byte & 15];
    }
    return bytes_of(text, from.len + extra);
}

static int value_of_digit(uint8_t digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    uint8_t lower = digit | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

struct bytes percent_decode(struct arena *arena, struct bytes from) {
    uint8_t *text = arena_allocate(arena, from.len);
    if (!text)
        return BYTES_EMPTY;
    size_t len = 0;
    for (size_t i = 0; i < from.len; i++) {
        int high = from.data[i] == '%' && from.len - i > 2 ? value_of_digit(from.data[i + 1]) : -1;
        int low = high >= 0 ? value_of_digit(from.data[i + 2]) : -1;
        if (low < 0) {
            text[len++] = from.data[i];
            continue;
        }
        text[len++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return bytes_of(text, len);
}
