#include "services/validator/image/row_fields.h"

#include <string.h>

#include "common/db/array.h"
#include "common/db/value.h"

static struct bytes take(struct row_fields *fields) {
    return fields->status == STATUS_OK ? *fields->next++ : BYTES_EMPTY;
}

static void check(struct row_fields *fields, bool is_right) {
    if (!is_right && fields->status == STATUS_OK)
        fields->status = STATUS_MALFORMED;
}

// --- single values ---

bool row_fields_take_bool(struct row_fields *fields) {
    bool value = false;
    check(fields, db_value_read_bool(take(fields), &value));
    return value;
}

char row_fields_take_char(struct row_fields *fields) {
    struct bytes value = take(fields);
    check(fields, value.len == 1);
    return value.len == 1 ? (char)value.data[0] : '\0';
}

int16_t row_fields_take_int16(struct row_fields *fields) {
    int16_t value = 0;
    check(fields, db_value_read_int16(take(fields), &value));
    return value;
}

int64_t row_fields_take_int64(struct row_fields *fields) {
    int64_t value = 0;
    check(fields, db_value_read_int64(take(fields), &value));
    return value;
}

struct uuid row_fields_take_uuid(struct row_fields *fields) {
    struct uuid value = {{0}};
    check(fields, db_value_read_uuid(take(fields), &value));
    return value;
}

struct uuid row_fields_take_uuid_or_zero(struct row_fields *fields) {
    struct uuid value = {{0}};
    struct bytes field = take(fields);
    check(fields, !field.data || db_value_read_uuid(field, &value));
    return value;
}

int64_t row_fields_take_time_ms(struct row_fields *fields, int64_t null_value) {
    int64_t value = null_value;
    struct bytes field = take(fields);
    check(fields, !field.data || db_value_read_time_ms(field, &value));
    return value;
}

struct digest row_fields_take_digest(struct row_fields *fields) {
    struct digest digest = {{0}};
    struct bytes value = take(fields);
    check(fields, value.len == sizeof(digest.bytes));
    if (value.len == sizeof(digest.bytes))
        memcpy(digest.bytes, value.data, sizeof(digest.bytes));
    return digest;
}

struct fingerprint row_fields_take_fingerprint(struct row_fields *fields) {
    struct fingerprint fingerprint = {{0}};
    struct bytes value = take(fields);
    check(fields, value.len == sizeof(fingerprint));
    if (value.len == sizeof(fingerprint))
        memcpy(&fingerprint, value.data, sizeof(fingerprint));
    return fingerprint;
}

struct bytes row_fields_take_text(struct row_fields *fields) {
    struct bytes value = take(fields);
    check(fields, value.data != NULL);
    return value;
}

struct ip_prefix row_fields_take_prefix(struct row_fields *fields) {
    struct ip_prefix value = {0};
    check(fields, db_value_read_prefix(take(fields), &value));
    return value;
}

// --- arrays ---

// Opens the array and makes room for its elements; NULL when it has none or on failure.
static void *begin_array(struct row_fields *fields, enum db_type type, size_t element_size,
                         struct db_array *ret_array) {
    struct bytes value = take(fields);
    *ret_array = (struct db_array){0};
    if (!value.data)
        return NULL;
    check(fields, db_array_parse(value, type, ret_array));
    if (ret_array->count == 0)
        return NULL;
    void *elements = arena_allocate_array(fields->arena, ret_array->count, element_size);
    if (!elements)
        fields->status = STATUS_NO_MEMORY;
    return elements;
}

const struct bytes *row_fields_take_texts(struct row_fields *fields, size_t *ret_count) {
    struct db_array array;
    struct bytes *texts = begin_array(fields, DB_TYPE_TEXT, sizeof(*texts), &array);
    size_t count = 0;
    while (texts && db_array_next(&array, &texts[count]))
        check(fields, texts[count++].data != NULL);
    *ret_count = count;
    return texts;
}

const struct uuid *row_fields_take_uuids(struct row_fields *fields, size_t *ret_count) {
    struct db_array array;
    struct uuid *uuids = begin_array(fields, DB_TYPE_UUID, sizeof(*uuids), &array);
    size_t count = 0;
    for (struct bytes element; uuids && db_array_next(&array, &element);)
        check(fields, db_value_read_uuid(element, &uuids[count++]));
    *ret_count = count;
    return uuids;
}

const struct ip_prefix *row_fields_take_prefixes(struct row_fields *fields, size_t *ret_count) {
    struct db_array array;
    struct ip_prefix *prefixes = begin_array(fields, DB_TYPE_CIDR, sizeof(*prefixes), &array);
    size_t count = 0;
    while (prefixes && db_array_next_prefix(&array, &prefixes[count]))
        count++;
    *ret_count = count;
    return prefixes;
}
