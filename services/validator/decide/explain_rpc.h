// Explain, as the transport calls it: for bearers with `latchkey.validate.explain`, about their own company's
// tokens. By a secret it is answered on the loop; by a token's id on the writer's thread, which alone can
// look it up (errand.h), and answered only if the asker may ask, and the validator decide, then as well.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_EXPLAIN_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_EXPLAIN_RPC_H

#include "common/grpc/method.h"
#include "services/validator/decide/validate_service.h"
#include "services/validator/follow/errand.h"

// The context of methods that look things up by ids.
struct lookup_service {
    const struct validate_service *validate;
    void (*send_errand)(struct errand *errand); // any thread; follower_send_errand()
};

// Its context is a struct lookup_service.
extern const struct grpc_handler explain_handler;

#endif
