// The statements of loss reports (schema 0024, 0026). Each function is one round trip, in a transaction of
// its own.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_LOSS_STORE_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_LOSS_STORE_H

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/follow/follower_store.h"
#include "services/validator/follow/loss_message.h"

// Of one that follows the database and has found itself that something is missing: reports it, unless it has
// been.
MUST_CHECK enum status loss_store_keep(struct follower_session session, const struct loss_message *message,
                                       struct loss_standing *ret_standing);

// Of one that is fed: nothing is reported where nothing is missing, or others have told as much. What the
// message has beside positions is added.
MUST_CHECK enum status loss_store_tell(struct follower_session session, const struct loss_message *message,
                                       struct loss_standing *ret_standing);

MUST_CHECK enum status loss_store_know(struct follower_session session, const struct loss_message *message);

// What was found by comparing with the database.
MUST_CHECK enum status loss_store_add(struct follower_session session, const struct loss_message *message);

MUST_CHECK enum status loss_store_end(struct follower_session session, const struct loss_message *message);
MUST_CHECK enum status loss_store_withdraw(struct follower_session session, struct uuid report_id);

#endif
