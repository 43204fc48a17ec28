// Idempotency of mutations (`request_id`, kept for 24 h per company, caller and method): the same request
// again gets the same answer, a twin that runs at the same time waits for the first, and another request
// under the same id is refused. Secrets are never kept: a replay says secret_withheld.
#ifndef LATCHKEY_COMMON_APP_REPLAY_H
#define LATCHKEY_COMMON_APP_REPLAY_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

struct replay {
    bool is_wanted; // the request has a request_id
    struct uuid request_id;
};

// Reads `request_id`. Not a UUID: a bad field in the fault, and no replay is wanted.
struct replay replay_parse(const ProtobufCMessage *request, struct fault *fault);

// First thing in the transaction of a request that has an id: claims it, or finds the answer that was given
// before (`*ret_response`, else NULL) and sets the call's lane to that of its change. ALREADY_EXISTS for
// other content under the same id.
MUST_CHECK enum status replay_begin(struct app_call *call, const struct app_method *method,
                                    const struct replay *replay, const ProtobufCMessage *request,
                                    ProtobufCMessage **ret_response);

// Last thing before the commit: keeps the answer without its secret.
MUST_CHECK enum status replay_keep(struct app_call *call, const struct app_method *method,
                                   const struct replay *replay, const ProtobufCMessage *response);

// Gives the claim up: the request was refused, and may be asked again. Leaves the fault to that refusal.
MUST_CHECK enum status replay_release(struct app_call *call, const struct app_method *method,
                                      const struct replay *replay);

#endif
