// What one that is fed remembers over a load, and what it tells where the database has lost some of that
// (CheckHistory). It goes on with what its feeder has once the database, asked after the load, knows all that
// is remembered or has given it up, and what was loaded reaches as far (docs/model/loss.pml). The follower's
// thread.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_UPSTREAM_LOSS_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_UPSTREAM_LOSS_RPC_H

#include "services/validator/follow/follower_internal.h"

// Before anything is loaded in place of the image.
void upstream_loss_remember(struct follower *follower);

// Asks. What has been given up is not remembered any more, and the state is LOSS_NONE or LOSS_SETTLED; else
// the loss is reported.
MUST_CHECK enum status upstream_loss_check(struct follower *follower, enum loss_state *ret_state);

// Tells what the memory says otherwise, if that is still to be done.
MUST_CHECK enum status upstream_loss_report(struct follower *follower);

// Whether an image has all that is remembered.
bool upstream_loss_is_reached(const struct follower *follower, const struct image *image);

// As `tell_loss` of a source.
MUST_CHECK enum status upstream_loss_tell(struct follower *follower, const struct loss_message *message,
                                          struct loss_standing *ret_standing);

#endif
