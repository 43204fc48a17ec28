// Memory doubles, so that n appended bytes cost O(n) copies.
#include "common/base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

static bool is_within_limit(const struct buffer *buffer, size_t len) {
    size_t limit = buffer->limit != 0 ? buffer->limit : SIZE_MAX;
    return buffer->len <= limit && len <= limit - buffer->len;
}

static void give_up(uint8_t *data, size_t len) {
    if (len > 0)
        explicit_bzero(data, len);
    free(data);
}

static bool grow(struct buffer *buffer, size_t room) {
    if (buffer->data && room <= buffer->capacity - buffer->len)
        return true;
    size_t needed;
    if (__builtin_add_overflow(buffer->len, room, &needed) || needed > PTRDIFF_MAX)
        return false;
    size_t capacity = buffer->capacity * 2;
    if (capacity < CAPACITY_MIN)
        capacity = CAPACITY_MIN;
    if (capacity < needed)
        capacity = needed;
    uint8_t *data = malloc(capacity);
    if (!data)
        return false;
    if (buffer->len > 0)
        memcpy(data, buffer->data, buffer->len);
    give_up(buffer->data, buffer->len);
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

// Room for `len` bytes that count and `extra` that are only written over.
static uint8_t *reserve(struct buffer *buffer, size_t len, size_t extra) {
    if (buffer->failed || !is_within_limit(buffer, len) || len > SIZE_MAX - extra ||
        !grow(buffer, len + extra)) {
        buffer->failed = true;
        return NULL;
    }
    return buffer->data + buffer->len;
}

void buffer_fini(struct buffer *buffer) {
    give_up(buffer->data, buffer->len);
    *buffer = (struct buffer){.limit = buffer->limit};
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t len) {
    return reserve(buffer, len, 0);
}

void buffer_advance(struct buffer *buffer, size_t len) {
    assert(len <= buffer->capacity - buffer->len);
    buffer->len += len;
}

void buffer_append(struct buffer *buffer, struct bytes bytes) {
    uint8_t *to = reserve(buffer, bytes.len, 0);
    if (!to || bytes.len == 0)
        return;
    memcpy(to, bytes.data, bytes.len);
    buffer->len += bytes.len;
}

void buffer_append_text(struct buffer *buffer, const char *text) {
    buffer_append(buffer, bytes_of_text(text));
}

void buffer_append_byte(struct buffer *buffer, uint8_t byte) {
    buffer_append(buffer, bytes_of(&byte, 1));
}

void buffer_append_format(struct buffer *buffer, const char *format, ...) {
    va_list args, measured;
    va_start(args, format);
    va_copy(measured, args);
    int len = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    uint8_t *to = len < 0 ? NULL : reserve(buffer, (size_t)len, 1);
    if (to) {
        vsnprintf((char *)to, (size_t)len + 1, format, args);
        buffer->len += (size_t)len;
    }
    buffer->failed = buffer->failed || len < 0;
    va_end(args);
}

void buffer_append_json(struct buffer *buffer, struct bytes utf8) {
    buffer_append_byte(buffer, '"');
    for (size_t i = 0; i < utf8.len; i++) {
        uint8_t byte = utf8.data[i];
        if (byte < ' ') {
            buffer_append_format(buffer, "\\u%04x", byte);
            continue;
        }
        if (byte == '"' || byte == '\\')
            buffer_append_byte(buffer, '\\');
        buffer_append_byte(buffer, byte);
    }
    buffer_append_byte(buffer, '"');
}

void buffer_consume(struct buffer *buffer, size_t len) {
    assert(len <= buffer->len);
    if (len == 0)
        return;
    memmove(buffer->data, buffer->data + len, buffer->len - len);
    buffer->len -= len;
    explicit_bzero(buffer->data + buffer->len, len);
}

void buffer_reset(struct buffer *buffer) {
    if (buffer->len > 0)
        explicit_bzero(buffer->data, buffer->len);
    buffer->len = 0;
    buffer->failed = false;
}
