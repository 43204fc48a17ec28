// CheckHistory: a validator that is fed asks whether the database's history has what it has applied, and
// tells what is missing. What is remembered here answers most; the rest is the database's to answer, by way
// of the follower.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_CHECK_HISTORY_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_CHECK_HISTORY_RPC_H

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/method.h"
#include "services/validator/decide/validate_service.h"
#include "services/validator/follow/errand.h"
#include "services/validator/follow/loss_message.h"

struct history_service {
    const struct validate_service *validate;
    void (*send_errand)(struct errand *errand);
    // In an errand (follower_tell_loss()).
    enum status (*tell_loss)(const struct loss_message *message, struct loss_standing *ret_standing);
};

// With a struct history_service as the method's context.
extern const struct grpc_handler check_history_handler;

#endif
