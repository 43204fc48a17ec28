// The parameters of one statement, in PostgreSQL's binary format: added in the order of $1, $2, ... Memory
// comes from the call's arena. The error is sticky (no memory, a time that PostgreSQL can't hold, more than
// DB_PARAMS_MAX) and told by whatever executes the statement, so that nothing has to be checked in between.
//
//   struct db_params params;
//   db_params_init(&params, arena);
//   db_params_add_uuid(&params, company);
//   db_params_add_text(&params, label);
//   status = db_query(transaction, &statements[TOKEN_FIND], &params, &result);
#ifndef LATCHKEY_COMMON_DB_PARAMS_H
#define LATCHKEY_COMMON_DB_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/type.h"
#include "common/ip/prefix.h"

#define DB_PARAMS_MAX 48

// Embedded by the caller; use the functions.
struct db_params {
    struct arena *arena; // borrows
    enum status status;  // sticky: OK, NO_MEMORY, TOO_LARGE or INVALID
    int count;
    uint32_t types[DB_PARAMS_MAX];
    const char *values[DB_PARAMS_MAX]; // NULL = SQL NULL
    int lengths[DB_PARAMS_MAX];
};

void db_params_init(struct db_params *params, struct arena *arena);

// Text and bytea borrow: what they point to must live until the statement has been executed.
void db_params_add_text(struct db_params *params, struct bytes text);
void db_params_add_bytes(struct db_params *params, struct bytes bytes);

void db_params_add_bool(struct db_params *params, bool value);
void db_params_add_char(struct db_params *params, char value);
void db_params_add_int16(struct db_params *params, int16_t value);
void db_params_add_int32(struct db_params *params, int32_t value);
void db_params_add_int64(struct db_params *params, int64_t value);
void db_params_add_uuid(struct db_params *params, struct uuid uuid);

// CLOCK_NEVER_MS becomes 'infinity', CLOCK_ALWAYS_MS '-infinity'.
void db_params_add_time_ms(struct db_params *params, int64_t ms);
// The same, but CLOCK_NEVER_MS and CLOCK_ALWAYS_MS become NULL.
void db_params_add_time_ms_or_null(struct db_params *params, int64_t ms);

// The zero UUID becomes NULL.
void db_params_add_uuid_or_null(struct db_params *params, struct uuid uuid);

// A single address as inet; no address (family 0) becomes NULL.
void db_params_add_address(struct db_params *params, const struct ip_address *address);
void db_params_add_prefix(struct db_params *params, const struct ip_prefix *prefix); // cidr

void db_params_add_null(struct db_params *params, enum db_type type);

// Arrays copy. `elements` may be NULL when `count` is 0, which is the empty array, not NULL. An element of
// text[] or bytea[] with data NULL is the empty string.
void db_params_add_text_array(struct db_params *params, const struct bytes *elements, size_t count);
void db_params_add_bytes_array(struct db_params *params, const struct bytes *elements, size_t count);
void db_params_add_uuid_array(struct db_params *params, const struct uuid *elements, size_t count);
void db_params_add_int64_array(struct db_params *params, const int64_t *elements, size_t count);
// The same with NULL for elements equal to `null_value`.
void db_params_add_int64_array_or_null(struct db_params *params, const int64_t *elements, size_t count,
                                       int64_t null_value);
// CLOCK_NEVER_MS and CLOCK_ALWAYS_MS are infinite, as for db_params_add_time_ms().
void db_params_add_time_ms_array(struct db_params *params, const int64_t *elements, size_t count);
void db_params_add_prefix_array(struct db_params *params, const struct ip_prefix *elements,
                                size_t count); // cidr[]
// inet[]; no address (family 0) becomes a NULL element.
void db_params_add_address_array(struct db_params *params, const struct ip_address *elements, size_t count);

#endif
