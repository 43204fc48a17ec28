// Plain loops over byte strings; only the UTF-8 check has a fast path, because every inbound text goes
// through it.
#include "common/base/bytes.h"

bool bytes_list_is_equal(const struct bytes *a, size_t a_count, const struct bytes *b, size_t b_count) {
    for (size_t i = 0; a_count == b_count && i < a_count; i++)
        if (!bytes_is_equal(a[i], b[i]))
            return false;
    return a_count == b_count;
}

bool bytes_is_equal_ignoring_case(struct bytes a, struct bytes b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_to_lower(a.data[i]) != ascii_to_lower(b.data[i]))
            return false;
    return true;
}

static bool is_blank(uint8_t character) {
    return character == ' ' || character == '\t';
}

struct bytes bytes_trim(struct bytes a) {
    size_t start = 0, end = a.len;
    while (start < end && is_blank(a.data[start]))
        start++;
    while (end > start && is_blank(a.data[end - 1]))
        end--;
    return start == end ? BYTES_EMPTY : bytes_of(a.data + start, end - start);
}

static bool is_continuation(uint8_t byte) {
    return (byte & 0xC0) == 0x80;
}

// Rows of table 3-7 of the Unicode standard: which second bytes may follow a lead byte. Overlong forms,
// surrogates and what lies above U+10FFFF are all excluded by the second byte alone.
static bool is_second_byte_of(uint8_t lead, uint8_t second) {
    switch (lead) {
    case 0xE0: return second >= 0xA0 && second <= 0xBF;
    case 0xED: return second >= 0x80 && second <= 0x9F;
    case 0xF0: return second >= 0x90 && second <= 0xBF;
    case 0xF4: return second >= 0x80 && second <= 0x8F;
    default: return is_continuation(second);
    }
}

static size_t get_length_of_lead(uint8_t lead) {
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    if (lead >= 0xF0 && lead <= 0xF4)
        return 4;
    return 0;
}

size_t bytes_measure_code_point(struct bytes a) {
    if (a.len == 0)
        return 0;
    size_t len = get_length_of_lead(a.data[0]);
    if (len <= 1)
        return len;
    if (len > a.len || !is_second_byte_of(a.data[0], a.data[1]))
        return 0;
    for (size_t i = 2; i < len; i++)
        if (!is_continuation(a.data[i]))
            return 0;
    return len;
}

static bool is_ascii_word(const uint8_t *data) {
    uint64_t word;
    memcpy(&word, data, sizeof(word));
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

bool bytes_is_utf8(struct bytes a) {
    size_t at = 0;
    while (at < a.len) {
        if (a.len - at >= sizeof(uint64_t) && is_ascii_word(a.data + at)) {
            at += sizeof(uint64_t);
            continue;
        }
        size_t len = bytes_measure_code_point(bytes_of(a.data + at, a.len - at));
        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

size_t bytes_count_code_points(struct bytes utf8) {
    size_t count = 0;
    for (size_t i = 0; i < utf8.len; i++)
        count += !is_continuation(utf8.data[i]);
    return count;
}

struct bytes bytes_split(struct bytes *rest, uint8_t separator) {
    struct bytes all = *rest;
    const uint8_t *found = all.len > 0 ? memchr(all.data, separator, all.len) : NULL;
    if (!found) {
        *rest = BYTES_EMPTY;
        return all;
    }
    size_t before = (size_t)(found - all.data);
    *rest = bytes_of(found + 1, all.len - before - 1);
    return bytes_of(all.data, before);
}

bool bytes_parse_unsigned(struct bytes a, uint64_t max, uint64_t *ret_value) {
    if (a.len == 0 || (a.len > 1 && a.data[0] == '0'))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < a.len; i++) {
        uint8_t character = a.data[i];
        if (character < '0' || character > '9')
            return false;
        uint64_t digit = (uint64_t)(character - '0');
        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

static uint64_t read_big_endian(struct cursor *cursor, size_t len) {
    struct bytes bytes = cursor_read_bytes(cursor, len);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | bytes.data[i];
    return value;
}

uint8_t cursor_read_u8(struct cursor *cursor) {
    return (uint8_t)read_big_endian(cursor, 1);
}

uint16_t cursor_read_u16(struct cursor *cursor) {
    return (uint16_t)read_big_endian(cursor, 2);
}

uint32_t cursor_read_u32(struct cursor *cursor) {
    return (uint32_t)read_big_endian(cursor, 4);
}

uint64_t cursor_read_u64(struct cursor *cursor) {
    return read_big_endian(cursor, 8);
}

struct bytes cursor_read_bytes(struct cursor *cursor, size_t len) {
    if (cursor->failed || len > cursor->rest.len) {
        *cursor = (struct cursor){.failed = true};
        return BYTES_EMPTY;
    }
    if (len == 0)
        return BYTES_EMPTY;
    struct bytes read = bytes_of(cursor->rest.data, len);
    cursor->rest = bytes_of(cursor->rest.data + len, cursor->rest.len - len);
    return read;
}
