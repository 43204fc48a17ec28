// What a validator tells the database that lacks changes which it has applied: that it is so, which keeps
// every validator from serving until an operator has settled it (`latchkey recover`), and all that its
// memory says otherwise than the rows. The report stands in the database.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_LOSS_REPORT_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_LOSS_REPORT_H

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/validator/follow/follower_store.h"
#include "services/validator/follow/snapshot.h"
#include "services/validator/image/image.h"
#include "services/validator/image/image_compare.h"

// The follower's own; zeroed is a good start.
struct loss_report {
    struct uuid id;        // zero = none that is open, as far as we know
    bool is_beyond_memory; // the database did not fit beside what is remembered
};

// Who reports. Borrows.
struct loss_witness {
    const char *name;
    const struct image *memory;        // NULL = it has been given up, and only the positions are known
    const struct positions *positions; // that it has come to
    struct image_compare_options of;   // in the lanes whose history is not known to be that of the memory
};

// Reports the loss, or goes on with it: loads the database as `options` say into an image of its own, and
// adds what the memory says otherwise; where there is none, or no room for both, the report says so.
// `*ret_is_settled`: an operator has been there, what is remembered is of no more use, and the report is
// closed. After a failure: again, on another connection.
MUST_CHECK enum status loss_report_advance(struct loss_report *report, const struct snapshot_options *options,
                                           const struct loss_witness *witness, bool *ret_is_settled);

// The changes are there after all.
MUST_CHECK enum status loss_report_withdraw(struct loss_report *report, struct follower_session session);

static inline bool loss_report_is_open(const struct loss_report *report) {
    return !uuid_is_zero(report->id);
}

#endif
