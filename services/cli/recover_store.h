// What validators reported of changes that the database lacks (schema 0024), read and settled in SQL: the
// statements of `latchkey recover`.
#ifndef LATCHKEY_SERVICES_CLI_RECOVER_STORE_H
#define LATCHKEY_SERVICES_CLI_RECOVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/transaction.h"

// One validator's, not settled.
struct loss_report {
    struct uuid report_id;
    const char *validator;
    int64_t reported_at_ms;
    bool is_compared;    // its changes are all there
    const char *failure; // why they can't be; "" = they are, or will be
};

// A lane whose newest changes are gone.
struct lost_lane {
    int64_t lane;
    int64_t known_seq; // the farthest that a validator had applied
    int64_t head_seq;  // what the database had when it reported
};

enum lost_remedy {
    LOST_REDO,    // ends somebody's access: can be done again
    LOST_JUDGE,   // differs, and which is right only people know
    LOST_MISSING, // was made, and is gone: lets nobody in
};

struct lost_change {
    const char *what; // token.deactivated
    enum lost_remedy remedy;
    struct uuid company_id;
    const char *object_id; // TypeID; "" = the catalogue
    int64_t until_ms;      // CLOCK_NEVER_MS = none
};

// In the arena.
struct loss {
    int64_t timeline;
    bool is_timeline_accepted;
    struct loss_report *reports;
    size_t report_count;
    struct lost_lane *lanes;
    size_t lane_count;
    struct lost_change *changes; // not done again yet, of all reports together, by company
    size_t change_count;
};

MUST_CHECK enum status recover_store_read(struct db_transaction *transaction, struct arena *arena,
                                          struct loss *ret_loss);

// The next company, in the order of ids, after `*company_id` for which something can be done again; zero at
// the end.
MUST_CHECK enum status recover_store_find_company(struct db_transaction *transaction, struct arena *arena,
                                                  struct uuid *company_id);

// Does again what can be for that company, with an event for each in its audit log. Adds to `*count`.
MUST_CHECK enum status recover_store_redo(struct db_transaction *transaction, struct fault *fault,
                                          struct arena *arena, struct uuid company_id, int64_t *count);

struct loss_settlement {
    const struct loss *loss; // only the reports that are in it are settled
    bool accepts_loss;       // also those of which something is left, and the timeline
    const char *note;
    int64_t redone_count;
};

// Settles the reports of which nothing is left but what lets nobody in, and where none is open any more
// accepts the timeline. In the operator's audit log.
MUST_CHECK enum status recover_store_settle(struct db_transaction *transaction, struct fault *fault,
                                            struct arena *arena, const struct loss_settlement *settlement);

#endif
