// The format (array_send() in PostgreSQL's arrayfuncs.c): dimensions, "has NULLs" flag, element type; for
// each dimension its size and lower bound; then each element as a length (-1 = NULL) and its bytes. All are
// 32 bits wide.
#include "common/db/array.h"

#include <assert.h>

#include "common/db/value.h"

#define NULL_LENGTH UINT32_MAX

static struct bytes read_element(struct cursor *cursor) {
    uint32_t len = cursor_read_u32(cursor);
    if (len == NULL_LENGTH)
        return BYTES_EMPTY;
    return len == 0 ? BYTES_LITERAL("") : cursor_read_bytes(cursor, len);
}

// Every element lies within the value, and nothing lies behind the last.
static bool has_whole_elements(struct cursor cursor, uint32_t count) {
    for (uint32_t i = 0; i < count && !cursor.failed; i++)
        read_element(&cursor);
    return !cursor.failed && cursor.rest.len == 0;
}

bool db_array_parse(struct bytes value, enum db_type element, struct db_array *ret_array) {
    struct cursor cursor = cursor_of(value);
    uint32_t dimensions = cursor_read_u32(&cursor);
    uint32_t has_nulls = cursor_read_u32(&cursor);
    uint32_t type = cursor_read_u32(&cursor);
    uint32_t count = 0;
    if (dimensions == 1) {
        count = cursor_read_u32(&cursor);
        cursor_read_u32(&cursor); // the lower bound; SQL may number from anywhere, we only walk
    }
    if (cursor.failed || dimensions > 1 || has_nulls > 1 || type != (uint32_t)element)
        return false;
    if (!has_whole_elements(cursor, count))
        return false;
    *ret_array = (struct db_array){cursor, count, count, element};
    return true;
}

bool db_array_next(struct db_array *array, struct bytes *ret_element) {
    if (array->remaining == 0)
        return false;
    array->remaining--;
    *ret_element = read_element(&array->cursor);
    return true;
}

bool db_array_next_text(struct db_array *array, struct bytes *ret_text) {
    if (!db_array_next(array, ret_text))
        return false;
    assert(ret_text->data);
    return true;
}

bool db_array_next_uuid(struct db_array *array, struct uuid *ret_uuid) {
    struct bytes element;
    if (!db_array_next(array, &element))
        return false;
    bool is_uuid = db_value_read_uuid(element, ret_uuid);
    assert(is_uuid);
    return is_uuid;
}

// An IPv4-mapped address as IPv6: whoever comes from there was read as IPv4 (common/ip/address.h).
static struct ip_prefix prefix_of_nobody(void) {
    struct ip_address nobody = {.family = IP_FAMILY_V6, .bytes = {[10] = 0xff, [11] = 0xff}};
    return ip_prefix_of(&nobody, 128);
}

bool db_array_next_prefix(struct db_array *array, struct ip_prefix *ret_prefix) {
    struct bytes element;
    if (!db_array_next(array, &element))
        return false;
    if (!db_value_read_prefix(element, ret_prefix))
        *ret_prefix = prefix_of_nobody();
    return true;
}

bool db_array_next_int64(struct db_array *array, int64_t null_value, int64_t *ret_value) {
    struct bytes element;
    if (!db_array_next(array, &element))
        return false;
    if (!element.data) {
        *ret_value = null_value;
        return true;
    }
    bool is_int64 = db_value_read_int64(element, ret_value);
    assert(is_int64);
    return is_int64;
}

bool db_array_next_time_ms(struct db_array *array, int64_t null_value, int64_t *ret_ms) {
    struct bytes element;
    if (!db_array_next(array, &element))
        return false;
    if (!element.data) {
        *ret_ms = null_value;
        return true;
    }
    bool is_time = db_value_read_time_ms(element, ret_ms);
    assert(is_time);
    return is_time;
}
