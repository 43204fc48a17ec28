// A growable byte buffer with one owner, which wipes what it gives up, because it may have been a secret.
// Appending never fails half-way: a failed append leaves `failed` set and the content as it was, so that a
// whole message is built first and checked once.
#ifndef LATCHKEY_COMMON_BASE_BUFFER_H
#define LATCHKEY_COMMON_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

struct buffer {
    uint8_t *data;
    size_t len;
    size_t capacity;
    size_t limit; // bytes that it may hold at most; 0 = no limit
    bool failed;  // sticky: memory or the limit ran out
};

// Zeroed memory is an empty buffer without a limit.
void buffer_fini(struct buffer *buffer);

// Makes room for `len` more bytes and returns where they go, or NULL (failed is then set).
// The caller writes there and then calls buffer_advance().
MUST_CHECK uint8_t *buffer_reserve(struct buffer *buffer, size_t len);
void buffer_advance(struct buffer *buffer, size_t len);

void buffer_append(struct buffer *buffer, struct bytes bytes);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_byte(struct buffer *buffer, uint8_t byte);
void buffer_append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

// Well-formed UTF-8 as a JSON string, quotes and all.
void buffer_append_json(struct buffer *buffer, struct bytes utf8);

// Drops the first `len` bytes; what follows moves to the front.
void buffer_consume(struct buffer *buffer, size_t len);

// Empties it, forgets a failure, and keeps the memory.
void buffer_reset(struct buffer *buffer);

static inline struct bytes buffer_get_bytes(const struct buffer *buffer) {
    return bytes_of(buffer->data, buffer->len);
}

#endif
