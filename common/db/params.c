// Small values are copied to the arena in PostgreSQL's format; arrays are written there in one piece.
#include "common/db/params.h"

#include <assert.h>
#include <limits.h>

#include "common/base/clock.h"
#include "common/db/value.h"

enum { ARRAY_HEADER_LENGTH = 20, ELEMENT_LENGTH_LENGTH = 4 };

// What PostgreSQL takes in one value (MaxAllocSize).
#define VALUE_MAX_BYTES 0x3fffffff

void db_params_init(struct db_params *params, struct arena *arena) {
    params->arena = arena;
    params->status = STATUS_OK;
    params->count = 0;
}

static void fail(struct db_params *params, enum status status) {
    if (params->status == STATUS_OK)
        params->status = status;
}

static void add(struct db_params *params, enum db_type type, const void *data, size_t len) {
    assert(params->count < DB_PARAMS_MAX);
    if (len > VALUE_MAX_BYTES)
        fail(params, STATUS_TOO_LARGE);
    params->types[params->count] = (uint32_t)type;
    params->values[params->count] = data;
    params->lengths[params->count] = len > VALUE_MAX_BYTES ? 0 : (int)len;
    params->count++;
}

static void add_copy(struct db_params *params, enum db_type type, const void *data, size_t len) {
    void *copy = arena_allocate(params->arena, len);
    if (copy)
        memcpy(copy, data, len);
    else
        fail(params, STATUS_NO_MEMORY);
    add(params, type, copy, len);
}

void db_params_add_null(struct db_params *params, enum db_type type) {
    add(params, type, NULL, 0);
}

// A value with data NULL would be an SQL NULL to libpq.
static const void *not_null(struct bytes bytes) {
    return bytes.data ? (const void *)bytes.data : "";
}

void db_params_add_text(struct db_params *params, struct bytes text) {
    add(params, DB_TYPE_TEXT, not_null(text), text.len);
}

void db_params_add_bytes(struct db_params *params, struct bytes bytes) {
    add(params, DB_TYPE_BYTEA, not_null(bytes), bytes.len);
}

void db_params_add_bool(struct db_params *params, bool value) {
    add(params, DB_TYPE_BOOL, value ? "\1" : "\0", 1);
}

void db_params_add_char(struct db_params *params, char value) {
    add_copy(params, DB_TYPE_CHAR, &value, 1);
}

void db_params_add_int16(struct db_params *params, int16_t value) {
    uint8_t bytes[2];
    db_value_write_int16(value, bytes);
    add_copy(params, DB_TYPE_INT16, bytes, sizeof(bytes));
}

void db_params_add_int32(struct db_params *params, int32_t value) {
    uint8_t bytes[4];
    db_value_write_int32(value, bytes);
    add_copy(params, DB_TYPE_INT32, bytes, sizeof(bytes));
}

void db_params_add_int64(struct db_params *params, int64_t value) {
    uint8_t bytes[8];
    db_value_write_int64(value, bytes);
    add_copy(params, DB_TYPE_INT64, bytes, sizeof(bytes));
}

void db_params_add_uuid(struct db_params *params, struct uuid uuid) {
    add_copy(params, DB_TYPE_UUID, uuid.bytes, sizeof(uuid.bytes));
}

void db_params_add_uuid_or_null(struct db_params *params, struct uuid uuid) {
    if (uuid_is_zero(uuid))
        db_params_add_null(params, DB_TYPE_UUID);
    else
        db_params_add_uuid(params, uuid);
}

void db_params_add_time_ms(struct db_params *params, int64_t ms) {
    uint8_t bytes[8] = {0};
    if (!db_value_write_time_ms(ms, bytes))
        fail(params, STATUS_INVALID);
    add_copy(params, DB_TYPE_TIMESTAMPTZ, bytes, sizeof(bytes));
}

void db_params_add_time_ms_or_null(struct db_params *params, int64_t ms) {
    if (ms == CLOCK_NEVER_MS || ms == CLOCK_ALWAYS_MS)
        db_params_add_null(params, DB_TYPE_TIMESTAMPTZ);
    else
        db_params_add_time_ms(params, ms);
}

void db_params_add_address(struct db_params *params, const struct ip_address *address) {
    if (address->family == IP_FAMILY_NONE) {
        db_params_add_null(params, DB_TYPE_INET);
        return;
    }
    uint8_t bytes[DB_PREFIX_VALUE_MAX];
    struct ip_prefix host = ip_prefix_of(address, ip_address_get_width_bits(address));
    size_t len = db_value_write_prefix(&host, DB_PREFIX_INET, bytes);
    add_copy(params, DB_TYPE_INET, bytes, len);
}

void db_params_add_prefix(struct db_params *params, const struct ip_prefix *prefix) {
    uint8_t bytes[DB_PREFIX_VALUE_MAX];
    size_t len = db_value_write_prefix(prefix, DB_PREFIX_CIDR, bytes);
    add_copy(params, DB_TYPE_CIDR, bytes, len);
}

// An array under construction. `next` is NULL once memory or the limit ran out; writes then do nothing.
struct array_writer {
    struct db_params *params;
    enum db_type type;
    uint8_t *data, *next;
};

// `payload_size` is the elements' own size, without their length words.
static struct array_writer begin_array(struct db_params *params, enum db_type type, enum db_type element,
                                       size_t count, size_t payload_size, bool has_nulls) {
    struct array_writer writer = {.params = params, .type = type};
    if (count > VALUE_MAX_BYTES / ELEMENT_LENGTH_LENGTH || payload_size > VALUE_MAX_BYTES) {
        fail(params, STATUS_TOO_LARGE);
        return writer;
    }
    writer.data =
        arena_allocate(params->arena, ARRAY_HEADER_LENGTH + count * ELEMENT_LENGTH_LENGTH + payload_size);
    if (!writer.data) {
        fail(params, STATUS_NO_MEMORY);
        return writer;
    }
    db_value_write_int32(count > 0, writer.data); // dimensions: PostgreSQL's empty array has none
    db_value_write_int32(has_nulls, writer.data + 4);
    db_value_write_int32((int32_t)element, writer.data + 8);
    db_value_write_int32((int32_t)count, writer.data + 12);
    db_value_write_int32(1, writer.data + 16); // lower bound
    writer.next = writer.data + (count > 0 ? ARRAY_HEADER_LENGTH : 12);
    return writer;
}

static void write_element(struct array_writer *writer, const void *data, size_t len) {
    if (!writer->next)
        return;
    db_value_write_int32((int32_t)len, writer->next);
    if (len > 0)
        memcpy(writer->next + ELEMENT_LENGTH_LENGTH, data, len);
    writer->next += ELEMENT_LENGTH_LENGTH + len;
}

static void write_null(struct array_writer *writer) {
    if (!writer->next)
        return;
    db_value_write_int32(-1, writer->next);
    writer->next += ELEMENT_LENGTH_LENGTH;
}

static void end_array(struct array_writer *writer) {
    add(writer->params, writer->type, writer->data, writer->next ? (size_t)(writer->next - writer->data) : 0);
}

// Sum of the lengths, or SIZE_MAX when that is more than a value may have.
static size_t sum_lengths(const struct bytes *elements, size_t count) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (elements[i].len > VALUE_MAX_BYTES - sum)
            return SIZE_MAX;
        sum += elements[i].len;
    }
    return sum;
}

static void add_bytes_array(struct db_params *params, enum db_type type, enum db_type element,
                            const struct bytes *elements, size_t count) {
    size_t size = sum_lengths(elements, count);
    struct array_writer writer = begin_array(params, type, element, count, size, false);
    for (size_t i = 0; i < count; i++)
        write_element(&writer, elements[i].data, elements[i].len);
    end_array(&writer);
}

void db_params_add_text_array(struct db_params *params, const struct bytes *elements, size_t count) {
    add_bytes_array(params, DB_TYPE_TEXT_ARRAY, DB_TYPE_TEXT, elements, count);
}

void db_params_add_bytes_array(struct db_params *params, const struct bytes *elements, size_t count) {
    add_bytes_array(params, DB_TYPE_BYTEA_ARRAY, DB_TYPE_BYTEA, elements, count);
}

// Room for `count` elements of at most `size` each; SIZE_MAX (refused by begin_array) when that overflows.
static size_t multiply(size_t count, size_t size) {
    size_t product;
    return __builtin_mul_overflow(count, size, &product) ? SIZE_MAX : product;
}

void db_params_add_uuid_array(struct db_params *params, const struct uuid *elements, size_t count) {
    struct array_writer writer = begin_array(params, DB_TYPE_UUID_ARRAY, DB_TYPE_UUID, count,
                                             multiply(count, sizeof(elements->bytes)), false);
    for (size_t i = 0; i < count; i++)
        write_element(&writer, elements[i].bytes, sizeof(elements[i].bytes));
    end_array(&writer);
}

static void write_int64(struct array_writer *writer, int64_t value) {
    uint8_t bytes[8];
    db_value_write_int64(value, bytes);
    write_element(writer, bytes, sizeof(bytes));
}

void db_params_add_int64_array(struct db_params *params, const int64_t *elements, size_t count) {
    struct array_writer writer = begin_array(params, DB_TYPE_INT64_ARRAY, DB_TYPE_INT64, count,
                                             multiply(count, sizeof(*elements)), false);
    for (size_t i = 0; i < count; i++)
        write_int64(&writer, elements[i]);
    end_array(&writer);
}

static bool contains(const int64_t *elements, size_t count, int64_t value) {
    for (size_t i = 0; i < count; i++)
        if (elements[i] == value)
            return true;
    return false;
}

void db_params_add_int64_array_or_null(struct db_params *params, const int64_t *elements, size_t count,
                                       int64_t null_value) {
    struct array_writer writer =
        begin_array(params, DB_TYPE_INT64_ARRAY, DB_TYPE_INT64, count, multiply(count, sizeof(*elements)),
                    contains(elements, count, null_value));
    for (size_t i = 0; i < count; i++) {
        if (elements[i] == null_value)
            write_null(&writer);
        else
            write_int64(&writer, elements[i]);
    }
    end_array(&writer);
}

void db_params_add_time_ms_array(struct db_params *params, const int64_t *elements, size_t count) {
    struct array_writer writer = begin_array(params, DB_TYPE_TIMESTAMPTZ_ARRAY, DB_TYPE_TIMESTAMPTZ, count,
                                             multiply(count, sizeof(*elements)), false);
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[8] = {0};
        if (!db_value_write_time_ms(elements[i], bytes))
            fail(params, STATUS_INVALID);
        write_element(&writer, bytes, sizeof(bytes));
    }
    end_array(&writer);
}

void db_params_add_prefix_array(struct db_params *params, const struct ip_prefix *elements, size_t count) {
    struct array_writer writer = begin_array(params, DB_TYPE_CIDR_ARRAY, DB_TYPE_CIDR, count,
                                             multiply(count, DB_PREFIX_VALUE_MAX), false);
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[DB_PREFIX_VALUE_MAX];
        size_t len = db_value_write_prefix(&elements[i], DB_PREFIX_CIDR, bytes);
        write_element(&writer, bytes, len);
    }
    end_array(&writer);
}

static bool has_no_address(const struct ip_address *elements, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (elements[i].family == IP_FAMILY_NONE)
            return true;
    return false;
}

void db_params_add_address_array(struct db_params *params, const struct ip_address *elements, size_t count) {
    struct array_writer writer =
        begin_array(params, DB_TYPE_INET_ARRAY, DB_TYPE_INET, count, multiply(count, DB_PREFIX_VALUE_MAX),
                    has_no_address(elements, count));
    for (size_t i = 0; i < count; i++) {
        if (elements[i].family == IP_FAMILY_NONE) {
            write_null(&writer);
            continue;
        }
        uint8_t bytes[DB_PREFIX_VALUE_MAX];
        struct ip_prefix host = ip_prefix_of(&elements[i], ip_address_get_width_bits(&elements[i]));
        size_t len = db_value_write_prefix(&host, DB_PREFIX_INET, bytes);
        write_element(&writer, bytes, len);
    }
    end_array(&writer);
}
