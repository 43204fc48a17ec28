// The rows that a statement returned. A result belongs to its transaction and lives until that ends: what
// must live longer is copied to the call's arena. Rows and columns count from 0.
//
// The readers are strict. That a column has the reader's type, that row and column exist, and that a value is
// not NULL (but for the readers that say what NULL gives) is the programmer's business and asserted: only our
// own SQL can break it.
#ifndef LATCHKEY_COMMON_DB_RESULT_H
#define LATCHKEY_COMMON_DB_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/uuid.h"
#include "common/db/array.h"
#include "common/db/type.h"
#include "common/ip/prefix.h"

struct db_result;

int db_result_get_row_count(const struct db_result *result);
int db_result_get_column_count(const struct db_result *result);
// Rows that an INSERT, UPDATE or DELETE touched, or a SELECT returned.
int64_t db_result_get_affected_count(const struct db_result *result);

bool db_result_is_null(const struct db_result *result, int row, int column);

// The first `count` fields of a row as they came; data NULL is NULL. Borrows from the result.
void db_result_get_row(const struct db_result *result, int row, struct bytes *ret_fields, size_t count);

bool db_result_get_bool(const struct db_result *result, int row, int column);
char db_result_get_char(const struct db_result *result, int row, int column);
int16_t db_result_get_int16(const struct db_result *result, int row, int column);
int32_t db_result_get_int32(const struct db_result *result, int row, int column);
int64_t db_result_get_int64(const struct db_result *result, int row, int column);
struct uuid db_result_get_uuid(const struct db_result *result, int row, int column);
int64_t db_result_get_time_ms(const struct db_result *result, int row, int column);
struct ip_prefix db_result_get_prefix(const struct db_result *result, int row, int column); // inet and cidr

// With a value for NULL.
int64_t db_result_get_int64_or(const struct db_result *result, int row, int column, int64_t null_value);
int64_t db_result_get_time_ms_or(const struct db_result *result, int row, int column, int64_t null_value);
// NULL is the zero UUID, and no prefix (family 0).
struct uuid db_result_get_uuid_or_zero(const struct db_result *result, int row, int column);
struct ip_prefix db_result_get_prefix_or_none(const struct db_result *result, int row, int column);

// text, varchar, name and jsonb (as text); borrows from the result. NULL is empty with data NULL.
struct bytes db_result_get_text(const struct db_result *result, int row, int column);
struct bytes db_result_get_bytes(const struct db_result *result, int row, int column); // bytea; NULL as above

// NUL-terminated copy in `arena`; NULL only when that ran out. A NULL column gives "".
MUST_CHECK char *db_result_copy_text(const struct db_result *result, int row, int column,
                                     struct arena *arena);

// Borrows from the result. A NULL column gives an empty array: ask db_result_is_null() where that matters.
struct db_array db_result_get_array(const struct db_result *result, int row, int column,
                                    enum db_type element);

#endif
