// Brings a database to the schema that this binary carries (schema.h). Safe when several processes do it at
// once: an advisory lock lets one at a time work, the others find it done. Each file is a transaction of its
// own, recorded in latchkey.migration with the SHA-256 of its text, so that a file that was edited after it
// had landed is noticed, and with the oldest programs that work on it, so that those know which were built
// before it (docs/upgrade.md).
#ifndef LATCHKEY_COMMON_DB_MIGRATE_H
#define LATCHKEY_COMMON_DB_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "common/db/schema.h"

#define DB_MIGRATE_SENTENCE_MAX 1023

// The files to apply; db_migrations_get_embedded() are the binary's own.
struct db_migrations {
    const struct schema_file *files;
    size_t count;
};

struct db_migrations db_migrations_get_embedded(void);

struct db_migrate_report {
    unsigned applied;                           // by this call
    unsigned number;                            // of the newest migration in the database; 0 = none
    bool is_newer;                              // than all that this binary has, which works on it
    char sentence[DB_MIGRATE_SENTENCE_MAX + 1]; // what is wrong and what to do; "" on success
};

// On a connection of the login user (no role). FAILED_PRECONDITION: a landed file was edited, a newer
// latchkey has been here whose schema leaves this one behind, or a file failed (the sentence names it, with
// PostgreSQL's message). PERMISSION_DENIED: the user lacks the rights. UNAVAILABLE, OUTCOME_UNKNOWN: the same
// again may well succeed, also where a file failed for a lock. `on_applied` may be NULL.
MUST_CHECK enum status db_migrate(struct db_connection *connection, struct db_migrations migrations,
                                  uint64_t deadline_ns, void (*on_applied)(const char *name),
                                  struct db_migrate_report *ret_report);

// Read-only, as any role: OK when the database has this schema, or a newer one on which programs of this one
// work. FAILED_PRECONDITION with a sentence: none or an older one ("run `latchkey migrate`"), a newer one
// that leaves this one behind, an edited one.
MUST_CHECK enum status db_schema_check(struct db_connection *connection, struct db_migrations migrations,
                                       uint64_t deadline_ns, struct db_migrate_report *ret_report);

#endif
