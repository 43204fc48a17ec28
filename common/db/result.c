#include "common/db/result.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include "common/db/session.h"
#include "common/db/value.h"

int db_result_get_row_count(const struct db_result *result) {
    return PQntuples(result->pg);
}

int db_result_get_column_count(const struct db_result *result) {
    return PQnfields(result->pg);
}

int64_t db_result_get_affected_count(const struct db_result *result) {
    uint64_t count = 0;
    // "" for statements that touch no rows; libpq's parameter lacks the const
    struct bytes text = bytes_of_text(PQcmdTuples(result->pg));
    return bytes_parse_unsigned(text, INT64_MAX, &count) ? (int64_t)count : 0;
}

bool db_result_is_null(const struct db_result *result, int row, int column) {
    assert(row >= 0 && row < PQntuples(result->pg) && column >= 0 && column < PQnfields(result->pg));
    return PQgetisnull(result->pg, row, column) == 1;
}

// Data NULL for NULL.
static struct bytes get_value(const struct db_result *result, int row, int column) {
    if (db_result_is_null(result, row, column))
        return BYTES_EMPTY;
    return bytes_of(PQgetvalue(result->pg, row, column), (size_t)PQgetlength(result->pg, row, column));
}

void db_result_get_row(const struct db_result *result, int row, struct bytes *ret_fields, size_t count) {
    for (size_t column = 0; column < count; column++)
        ret_fields[column] = get_value(result, row, (int)column);
}

static void check_type(const struct db_result *result, int column, enum db_type type) {
    assert(PQftype(result->pg, column) == (Oid)type);
}

bool db_result_get_bool(const struct db_result *result, int row, int column) {
    check_type(result, column, DB_TYPE_BOOL);
    bool value;
    bool is_bool = db_value_read_bool(get_value(result, row, column), &value);
    assert(is_bool);
    return is_bool && value;
}

char db_result_get_char(const struct db_result *result, int row, int column) {
    check_type(result, column, DB_TYPE_CHAR);
    struct bytes value = get_value(result, row, column);
    assert(value.len == 1);
    return (char)value.data[0];
}

int16_t db_result_get_int16(const struct db_result *result, int row, int column) {
    check_type(result, column, DB_TYPE_INT16);
    int16_t value = 0;
    bool is_int16 = db_value_read_int16(get_value(result, row, column), &value);
    assert(is_int16);
    return value;
}

int32_t db_result_get_int32(const struct db_result *result, int row, int column) {
    check_type(result, column, DB_TYPE_INT32);
    int32_t value = 0;
    bool is_int32 = db_value_read_int32(get_value(result, row, column), &value);
    assert(is_int32);
    return value;
}

int64_t db_result_get_int64(const struct db_result *result, int row, int column) {
    check_type(result, column, DB_TYPE_INT64);
    int64_t value = 0;
    bool is_int64 = db_value_read_int64(get_value(result, row, column), &value);
    assert(is_int64);
    return value;
}

struct uuid db_result_get_uuid(const struct db_result *result, int row, int column) {
    check_type(result, column, DB_TYPE_UUID);
    struct uuid value = {{0}};
    bool is_uuid = db_value_read_uuid(get_value(result, row, column), &value);
    assert(is_uuid);
    return value;
}

int64_t db_result_get_time_ms(const struct db_result *result, int row, int column) {
    check_type(result, column, DB_TYPE_TIMESTAMPTZ);
    int64_t value = 0;
    bool is_time = db_value_read_time_ms(get_value(result, row, column), &value);
    assert(is_time);
    return value;
}

struct ip_prefix db_result_get_prefix(const struct db_result *result, int row, int column) {
    assert(PQftype(result->pg, column) == DB_TYPE_INET || PQftype(result->pg, column) == DB_TYPE_CIDR);
    struct ip_prefix value = {0};
    bool is_prefix = db_value_read_prefix(get_value(result, row, column), &value);
    assert(is_prefix);
    return value;
}

int64_t db_result_get_int64_or(const struct db_result *result, int row, int column, int64_t null_value) {
    return db_result_is_null(result, row, column) ? null_value : db_result_get_int64(result, row, column);
}

int64_t db_result_get_time_ms_or(const struct db_result *result, int row, int column, int64_t null_value) {
    return db_result_is_null(result, row, column) ? null_value : db_result_get_time_ms(result, row, column);
}

struct uuid db_result_get_uuid_or_zero(const struct db_result *result, int row, int column) {
    if (db_result_is_null(result, row, column))
        return (struct uuid){{0}};
    return db_result_get_uuid(result, row, column);
}

struct ip_prefix db_result_get_prefix_or_none(const struct db_result *result, int row, int column) {
    if (db_result_is_null(result, row, column))
        return (struct ip_prefix){0};
    return db_result_get_prefix(result, row, column);
}

struct bytes db_result_get_text(const struct db_result *result, int row, int column) {
    struct bytes value = get_value(result, row, column);
    switch (PQftype(result->pg, column)) {
    case DB_TYPE_TEXT:
    case DB_TYPE_VARCHAR:
    case DB_TYPE_NAME: return value;
    case DB_TYPE_JSONB:
        if (!value.data)
            return value;
        assert(value.len >= 1 && value.data[0] == 1); // version of the format, then the text
        return bytes_of(value.data + 1, value.len - 1);
    default: assert(!"the column is no text"); abort();
    }
}

struct bytes db_result_get_bytes(const struct db_result *result, int row, int column) {
    check_type(result, column, DB_TYPE_BYTEA);
    return get_value(result, row, column);
}

char *db_result_copy_text(const struct db_result *result, int row, int column, struct arena *arena) {
    return arena_copy_bytes(arena, db_result_get_text(result, row, column));
}

struct db_array db_result_get_array(const struct db_result *result, int row, int column,
                                    enum db_type element) {
    struct db_array array = {.element = element};
    struct bytes value = get_value(result, row, column);
    bool is_array = !value.data || db_array_parse(value, element, &array);
    assert(is_array);
    return is_array ? array : (struct db_array){.element = element};
}
