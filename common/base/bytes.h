// Byte strings that know their length, and a cursor that parses them with a sticky error: after the first
// short read every further read yields zero or empty, and one check at the end decides.
#ifndef LATCHKEY_COMMON_BASE_BYTES_H
#define LATCHKEY_COMMON_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/compiler.h"

// Borrows: whoever hands it out says how long `data` lives. `data` may be NULL only when `len` is 0.
// Not NUL-terminated; may hold any byte.
struct bytes {
    const uint8_t *data;
    size_t len;
};

#define BYTES_EMPTY ((struct bytes){NULL, 0})
#define BYTES_LITERAL(text) ((struct bytes){(const uint8_t *)("" text), sizeof(text) - 1})
// For printf's "%.*s".
#define BYTES_FORMAT(value) (int)(value).len, (const char *)(value).data

static inline struct bytes bytes_of(const void *data, size_t len) {
    return (struct bytes){data, len};
}

// NULL is the empty string.
static inline struct bytes bytes_of_text(const char *text) {
    return (struct bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

static inline bool bytes_is_equal(struct bytes a, struct bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_is_text(struct bytes a, const char *text) {
    return bytes_is_equal(a, bytes_of_text(text));
}

static inline bool bytes_has_prefix(struct bytes a, struct bytes prefix) {
    return a.len >= prefix.len && bytes_is_equal(bytes_of(a.data, prefix.len), prefix);
}

// Of two lists: as many, and each equal to the other's at its place.
bool bytes_list_is_equal(const struct bytes *a, size_t a_count, const struct bytes *b, size_t b_count);

// ASCII only, as the next one, whatever the locale.
static inline uint8_t ascii_to_lower(uint8_t character) {
    return character >= 'A' && character <= 'Z' ? character | 0x20 : character;
}

bool bytes_is_equal_ignoring_case(struct bytes a, struct bytes b);

// Without leading and trailing ASCII spaces and tabs.
struct bytes bytes_trim(struct bytes a);

// Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). The empty string is.
bool bytes_is_utf8(struct bytes a);

// Length (1 to 4) of the well-formed code point that `a` begins with; 0 if it begins with none.
size_t bytes_measure_code_point(struct bytes a);

// Number of code points of well-formed UTF-8.
size_t bytes_count_code_points(struct bytes utf8);

// Cuts at the first `separator`: returns what stands before it and leaves in `*rest` what stands after.
// Without one, returns all and leaves `*rest` with data NULL and length 0.
struct bytes bytes_split(struct bytes *rest, uint8_t separator);

// Decimal digits only, no sign, no space, no leading zero but "0" itself. False, and `*ret_value` untouched,
// if it is anything else or above `max`.
MUST_CHECK bool bytes_parse_unsigned(struct bytes a, uint64_t max, uint64_t *ret_value);

struct cursor {
    struct bytes rest;
    bool failed; // sticky: a read beyond the end was tried
};

static inline struct cursor cursor_of(struct bytes from) {
    return (struct cursor){.rest = from};
}

// Big-endian integers. Zero once failed.
uint8_t cursor_read_u8(struct cursor *cursor);
uint16_t cursor_read_u16(struct cursor *cursor);
uint32_t cursor_read_u32(struct cursor *cursor);
uint64_t cursor_read_u64(struct cursor *cursor);

// Borrows from the parsed bytes. Empty once failed.
struct bytes cursor_read_bytes(struct cursor *cursor, size_t len);

#endif
