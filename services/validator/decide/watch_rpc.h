// WatchChanges: feeds another validator. Takes off the wire what that one tells, and hands it what the feed
// (feed.h) has for it, as fast as it takes it.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_WATCH_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_WATCH_RPC_H

#include "common/grpc/method.h"
#include "services/validator/decide/validate_service.h"
#include "services/validator/feed/feed.h"

struct watch_service {
    const struct validate_service *validate;
    struct feed *feed; // made before the first call
};

// With a struct watch_service as the method's context.
extern const struct grpc_handler watch_handler;

#endif
