// What ended somebody's access in a memory, for the database to find out what it has otherwise: that is what
// one can tell whose images have another key than the database's (a validator that is fed by another).
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_LOSS_CLAIMS_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_LOSS_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/follow/loss_message.h"
#include "services/validator/image/image.h"

struct loss_claims_options {
    bool lanes[LANE_COUNT]; // whose companies are told of
    int64_t now_ms;
    // For each; what is not OK ends it.
    enum status (*tell)(void *context, const struct loss_claim *claim);
    void *context;
};

// The writer of the image. A token with two secrets is told twice.
MUST_CHECK enum status loss_claims_list(const struct image *memory,
                                        const struct loss_claims_options *options);

#endif
