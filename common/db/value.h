// PostgreSQL's binary format of single values, both ways, as pure functions: params.h and result.h are built
// from them, and whoever reads COPY rows (copy.h) uses them field by field. Integers are big-endian. The read
// functions return false when the bytes are not such a value, and then leave `ret` untouched.
#ifndef LATCHKEY_COMMON_DB_VALUE_H
#define LATCHKEY_COMMON_DB_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/uuid.h"
#include "common/ip/prefix.h"

// Header of four bytes and an IPv6 address.
#define DB_PREFIX_VALUE_MAX 20

MUST_CHECK bool db_value_read_bool(struct bytes value, bool *ret);
MUST_CHECK bool db_value_read_int16(struct bytes value, int16_t *ret);
MUST_CHECK bool db_value_read_int32(struct bytes value, int32_t *ret);
MUST_CHECK bool db_value_read_int64(struct bytes value, int64_t *ret);
MUST_CHECK bool db_value_read_uuid(struct bytes value, struct uuid *ret);

// timestamptz counts microseconds since 2000; ours are milliseconds since 1970, rounded down. 'infinity' is
// CLOCK_NEVER_MS, '-infinity' CLOCK_ALWAYS_MS.
MUST_CHECK bool db_value_read_time_ms(struct bytes value, int64_t *ret_ms);

// inet and cidr alike. An IPv4-mapped IPv6 address is refused: no table of ours may hold one.
MUST_CHECK bool db_value_read_prefix(struct bytes value, struct ip_prefix *ret);

void db_value_write_int16(int16_t value, uint8_t ret[2]);
void db_value_write_int32(int32_t value, uint8_t ret[4]);
void db_value_write_int64(int64_t value, uint8_t ret[8]);

// False when `ms` is beyond what PostgreSQL can hold (years 4714 BC to 294276).
MUST_CHECK bool db_value_write_time_ms(int64_t ms, uint8_t ret[8]);

enum db_prefix_kind { DB_PREFIX_INET = 0, DB_PREFIX_CIDR = 1 };

// Returns how many bytes were written. The prefix is not the empty one.
size_t db_value_write_prefix(const struct ip_prefix *prefix, enum db_prefix_kind kind,
                             uint8_t ret[DB_PREFIX_VALUE_MAX]);

#endif
