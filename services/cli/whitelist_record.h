// Entries of a whitelist in files: what a record (records.h) says about one, and the way back for export.
#ifndef LATCHKEY_SERVICES_CLI_WHITELIST_RECORD_H
#define LATCHKEY_SERVICES_CLI_WHITELIST_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "services/cli/records.h"

enum whitelist_column {
    WHITELIST_COLUMN_ADDRESS,
    WHITELIST_COLUMN_BITS,
    WHITELIST_COLUMN_NOTE,
    WHITELIST_COLUMN_OWNER,
    WHITELIST_COLUMN_EXPIRES,
    WHITELIST_COLUMN_DISABLED,
    WHITELIST_COLUMN_IGNORED, // what answers say about an entry and nobody can set
    WHITELIST_COLUMN_COUNT
};

extern const struct record_column whitelist_record_columns[WHITELIST_COLUMN_COUNT];

#define WHITELIST_RECORD_BITS_UNSET (-1)

struct whitelist_record {
    const char *address; // borrow from the record
    const char *note, *owner;
    int64_t bits;
    int64_t expires_ms; // CLOCK_NEVER_MS = never
    bool is_disabled;
};

// NULL, or what is wrong and what to type instead, in `arena`. Ranges of length 0 hold every address, and are
// wrong unless `permits_all`.
MUST_CHECK const char *whitelist_record_read(const struct record *record, bool permits_all,
                                             struct arena *arena, struct whitelist_record *ret_record);

#endif
