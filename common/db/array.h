// PostgreSQL's binary format of one-dimensional arrays, read element by element without copying.
//
//   struct db_array roles = db_result_get_array(result, 0, COLUMN_ROLES, DB_TYPE_TEXT);
//   struct bytes role;
//   while (db_array_next_text(&roles, &role))
//       ...
//
// The structure is checked when the array is opened, so that a walk can't fail. Elements borrow from the
// value. A NULL element where the function takes no `null_value` is a programmer's error and asserted: the
// schema keeps them out.
#ifndef LATCHKEY_COMMON_DB_ARRAY_H
#define LATCHKEY_COMMON_DB_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/uuid.h"
#include "common/db/type.h"
#include "common/ip/prefix.h"

struct db_array {
    struct cursor cursor; // before the next element
    uint32_t count;       // elements in all
    uint32_t remaining;   // elements not yet read
    enum db_type element;
};

// False when `value` is not exactly one array of at most one dimension with elements of that type.
MUST_CHECK bool db_array_parse(struct bytes value, enum db_type element, struct db_array *ret_array);

// The next element as it stands; data NULL is NULL. False at the end.
MUST_CHECK bool db_array_next(struct db_array *array, struct bytes *ret_element);

MUST_CHECK bool db_array_next_text(struct db_array *array, struct bytes *ret_text); // text[] and bytea[]
MUST_CHECK bool db_array_next_uuid(struct db_array *array, struct uuid *ret_uuid);
MUST_CHECK bool db_array_next_int64(struct db_array *array, int64_t null_value, int64_t *ret_value);
MUST_CHECK bool db_array_next_time_ms(struct db_array *array, int64_t null_value, int64_t *ret_ms);

// cidr[] and inet[]. One that can't be read (only a hand could have written it) becomes one that contains
// nobody: left out, the list might be empty, which means everybody.
MUST_CHECK bool db_array_next_prefix(struct db_array *array, struct ip_prefix *ret_prefix);

#endif
