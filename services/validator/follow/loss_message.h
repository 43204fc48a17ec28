// What a validator tells of a loss, and how that stands then. In the database (schema 0024, 0026) it is a
// report with the changes that its memory says otherwise.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_LOSS_MESSAGE_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_LOSS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/revision.h"
#include "common/base/bytes.h"
#include "common/base/uuid.h"

// Something that ended somebody's access in a memory; names are those of image_compare.h.
struct loss_claim {
    struct bytes what;
    struct uuid company_id, object_id;
    int64_t until_ms; // CLOCK_NEVER_MS = none
};

// Borrows everything. With positions alone it is a question, and a report if they are not in the history.
struct loss_message {
    struct uuid report_id; // drawn by whoever reports, the same until it is settled
    struct bytes validator;
    const int64_t *seqs, *marks; // LANE_COUNT: the last change that was applied; 0 = none
    const struct revision *known;
    size_t known_count; // some of the changes before: the newest of a lane, without gaps
    const struct loss_claim *claims;
    size_t claim_count;
    bool is_complete;     // nothing more comes
    struct bytes failure; // with that: why something may be lacking; empty = nothing does
};

enum loss_state {
    LOSS_NONE = 0, // all is in the history, as far as the log reaches
    LOSS_REPORTED, // and what the memory says otherwise is still to be told
    LOSS_COMPARED, // the operator's turn
    LOSS_SETTLED,
};

struct loss_standing {
    enum loss_state state;
    bool lanes[LANE_COUNT]; // whose positions are not in the history
    // Of a lane whose loss is settled: the last change before it, 0 = the beginning.
    bool is_settled[LANE_COUNT];
    int64_t before_seqs[LANE_COUNT], before_marks[LANE_COUNT];
};

#endif
