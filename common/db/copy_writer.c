#include "common/db/copy_writer.h"

#include "common/db/type.h"
#include "common/db/value.h"

#define SIGNATURE BYTES_LITERAL("PGCOPY\n\377\r\n\0")

static void append_int16(struct buffer *to, int16_t value) {
    uint8_t bytes[2];
    db_value_write_int16(value, bytes);
    buffer_append(to, bytes_of(bytes, sizeof(bytes)));
}

static void append_int32(struct buffer *to, int32_t value) {
    uint8_t bytes[4];
    db_value_write_int32(value, bytes);
    buffer_append(to, bytes_of(bytes, sizeof(bytes)));
}

static void append_null(struct buffer *to) {
    append_int32(to, -1);
}

void copy_write_header(struct buffer *to) {
    buffer_append(to, SIGNATURE);
    append_int32(to, 0); // flags
    append_int32(to, 0); // length of the extension
}

void copy_write_row(struct buffer *to, unsigned columns) {
    append_int16(to, (int16_t)columns);
}

void copy_write_trailer(struct buffer *to) {
    append_int16(to, -1);
}

// --- single values ---

void copy_write_bytes(struct buffer *to, struct bytes value) {
    append_int32(to, (int32_t)value.len);
    buffer_append(to, value);
}

void copy_write_bool(struct buffer *to, bool value) {
    copy_write_char(to, value ? '\1' : '\0');
}

void copy_write_char(struct buffer *to, char value) {
    copy_write_bytes(to, bytes_of(&value, 1));
}

void copy_write_int16(struct buffer *to, int16_t value) {
    append_int32(to, 2);
    append_int16(to, value);
}

void copy_write_uuid(struct buffer *to, const struct uuid *uuid) {
    copy_write_bytes(to, bytes_of(uuid, sizeof(*uuid)));
}

void copy_write_uuid_or_null(struct buffer *to, const struct uuid *uuid) {
    if (uuid_is_zero(*uuid))
        append_null(to);
    else
        copy_write_uuid(to, uuid);
}

void copy_write_time_ms(struct buffer *to, int64_t ms, int64_t null_value) {
    if (ms == null_value) {
        append_null(to);
        return;
    }
    uint8_t bytes[8];
    if (!db_value_write_time_ms(ms, bytes)) {
        to->failed = true;
        return;
    }
    copy_write_bytes(to, bytes_of(bytes, sizeof(bytes)));
}

void copy_write_prefix(struct buffer *to, const struct ip_prefix *prefix) {
    uint8_t bytes[DB_PREFIX_VALUE_MAX];
    copy_write_bytes(to, bytes_of(bytes, db_value_write_prefix(prefix, DB_PREFIX_CIDR, bytes)));
}

// --- arrays ---
//
// Dimensions, "has NULLs", the type; where there is a dimension its size and lower bound; the elements. The
// length of it all is written last.

static size_t begin_array(struct buffer *to, enum db_type type, size_t count) {
    size_t start = to->len;
    append_int32(to, 0);
    append_int32(to, count > 0);
    append_int32(to, 0);
    append_int32(to, type);
    if (count > 0) {
        append_int32(to, (int32_t)count);
        append_int32(to, 1);
    }
    return start;
}

static void end_array(struct buffer *to, size_t start) {
    if (!to->failed)
        db_value_write_int32((int32_t)(to->len - start - 4), to->data + start);
}

void copy_write_texts(struct buffer *to, const struct bytes *texts, size_t count) {
    size_t start = begin_array(to, DB_TYPE_TEXT, count);
    for (size_t i = 0; i < count; i++)
        copy_write_bytes(to, texts[i]);
    end_array(to, start);
}

void copy_write_uuids(struct buffer *to, const struct uuid *uuids, size_t count) {
    size_t start = begin_array(to, DB_TYPE_UUID, count);
    for (size_t i = 0; i < count; i++)
        copy_write_uuid(to, &uuids[i]);
    end_array(to, start);
}

void copy_write_prefixes(struct buffer *to, const struct ip_prefix *prefixes, size_t count) {
    size_t start = begin_array(to, DB_TYPE_CIDR, count);
    for (size_t i = 0; i < count; i++)
        copy_write_prefix(to, &prefixes[i]);
    end_array(to, start);
}
