// Changes of the log into an image: what they name is read again as it is now, in one snapshot. So it does
// not matter how often or how late a change is applied, nor that a run of them is cut somewhere.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_APPLIER_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_APPLIER_H

#include <stdbool.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/transaction.h"
#include "services/validator/follow/change_set.h"
#include "services/validator/follow/row_reader.h"

// One thread; zeroed but for the first is a good start.
struct applier {
    struct row_reader reader;
    // The last run ended half-way: the image may hold a whitelist's new pointer and still the old list's
    // entries, so the pointer does not tell whether they have been read.
    bool is_half_applied;
};

// `transaction` is REPEATABLE READ and has seen the changes. `set` is finished. On failure the image is
// neither old nor new in what the set names: run it again. TOO_LARGE, and nothing is done: so many companies
// are to be read as a whole that a load costs less.
#define APPLIER_COMPANIES_MAX 64
MUST_CHECK enum status applier_apply(struct applier *applier, struct db_transaction *transaction,
                                     const struct change_set *set);

#endif
