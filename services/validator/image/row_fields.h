// The fields of one row in binary, of a COPY as a rule, taken one after the other with a sticky error: after
// the first value that is not of its type every further one is zero or empty, and one check at the end
// decides. Arrays are made in the arena; texts borrow from the row.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_ROW_FIELDS_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_ROW_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "common/crypto/fingerprint.h"
#include "common/ip/prefix.h"

struct row_fields {
    const struct bytes *next;
    struct arena *arena; // borrows
    enum status status;  // sticky: OK, MALFORMED or NO_MEMORY
};

static inline struct row_fields row_fields_of(const struct bytes *fields, struct arena *arena) {
    return (struct row_fields){fields, arena, STATUS_OK};
}

bool row_fields_take_bool(struct row_fields *fields);
char row_fields_take_char(struct row_fields *fields);
int16_t row_fields_take_int16(struct row_fields *fields);
int64_t row_fields_take_int64(struct row_fields *fields);
struct uuid row_fields_take_uuid(struct row_fields *fields);
struct uuid row_fields_take_uuid_or_zero(struct row_fields *fields); // NULL is zero
int64_t row_fields_take_time_ms(struct row_fields *fields, int64_t null_value);
struct digest row_fields_take_digest(struct row_fields *fields);
struct fingerprint row_fields_take_fingerprint(struct row_fields *fields);
struct bytes row_fields_take_text(struct row_fields *fields);
struct ip_prefix row_fields_take_prefix(struct row_fields *fields);

// NULL is empty.
const struct bytes *row_fields_take_texts(struct row_fields *fields, size_t *ret_count);
const struct uuid *row_fields_take_uuids(struct row_fields *fields, size_t *ret_count);

// One that can't be read contains nobody (common/db/array.h).
const struct ip_prefix *row_fields_take_prefixes(struct row_fields *fields, size_t *ret_count);

#endif
