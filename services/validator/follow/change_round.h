// What one renewal told of, from the log into an image: the changes and the rows that they name, read in one
// snapshot.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_CHANGE_ROUND_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_CHANGE_ROUND_H

#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/follow/applier.h"
#include "services/validator/follow/follower_store.h"

// The applied changes are noted in the image's lanes, and published by the caller. `*ret_count`: how many.
// Fails as follower_store_read_changes() and applier_apply() do.
MUST_CHECK enum status change_round_apply(struct follower_session session, struct applier *applier,
                                          const struct renewal *renewal, uint64_t *ret_count);

#endif
