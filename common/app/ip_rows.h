// Lists of addresses as the database has them (cidr[]), as the sets that a decision asks. For lists that are
// read for one call: what they hold lives in its arena.
#ifndef LATCHKEY_COMMON_APP_IP_ROWS_H
#define LATCHKEY_COMMON_APP_IP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/db/result.h"
#include "common/ip/ip_set.h"

// False when out of memory, as for all below.
MUST_CHECK bool ip_rows_read(const struct db_result *rows, int row, int column, struct arena *arena,
                             struct ip_prefix **ret_prefixes, size_t *ret_count);

// `ends_ms` NULL = none ends. No prefixes: a set that holds nobody.
MUST_CHECK bool ip_rows_make_set(const struct ip_prefix *prefixes, const int64_t *ends_ms, size_t count,
                                 struct arena *arena, const struct ip_set **ret_set);

// A list of a member or a token: NULL, no restriction, where it is empty.
MUST_CHECK bool ip_rows_read_list(const struct db_result *rows, int row, int column, struct arena *arena,
                                  const struct ip_set **ret_set);

// Of a company's list those entries that contain an address, with their ends in the column behind: for this
// address they answer the same as the whole list.
MUST_CHECK bool ip_rows_read_matched(const struct db_result *rows, int row, int column, struct arena *arena,
                                     const struct ip_set **ret_set);

#endif
