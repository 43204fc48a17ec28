// Lists within a row, copied to the arena. False when that runs out.
#ifndef LATCHKEY_COMMON_DB_ROW_LIST_H
#define LATCHKEY_COMMON_DB_ROW_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/uuid.h"
#include "common/db/result.h"
#include "common/ip/prefix_list.h"

// text[]; every element is NUL-terminated.
MUST_CHECK bool db_row_copy_texts(const struct db_result *rows, int row, int column, struct arena *arena,
                                  struct bytes **ret_texts, size_t *ret_count);

// uuid[]
MUST_CHECK bool db_row_copy_uuids(const struct db_result *rows, int row, int column, struct arena *arena,
                                  struct uuid **ret_ids, size_t *ret_count);

// cidr[]
MUST_CHECK bool db_row_copy_prefixes(const struct db_result *rows, int row, int column, struct arena *arena,
                                     struct prefix_list *ret_list);

#endif
