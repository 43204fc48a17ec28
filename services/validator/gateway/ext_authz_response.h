// envoy.service.auth.v3.CheckResponse, written by hand: its dynamic_metadata is a google.protobuf.Struct,
// which is recursive and no part of our schema.
//
// why a denial also where nothing could be decided: error_response is let through by a gateway whose
// failure_mode_allow says so, and older gateways do not know it. And an empty message is an admission: what
// can't be written must not be sent.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_EXT_AUTHZ_RESPONSE_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_EXT_AUTHZ_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/grpc/metadata.h"
#include "services/validator/decide/validate_decide.h"

// What the client is told.
struct ext_authz_denial {
    unsigned status;        // HTTP's
    const char *code;       // gRPC's in lower case, for the body
    const char *text;       // one sentence, for the body
    const char *reason;     // latchkey-reason
    const char *challenge;  // www-authenticate; NULL = none
    unsigned retry_after_s; // 0 = none
};

// What the service is told, in place of whatever the client has said of itself.
struct ext_authz_admission {
    const struct validate_answer *answer; // NULL = nobody in particular was let in
    const struct metadata *headers;       // of the client: those that say who it is are taken away
    const struct bytes *removed;          // and these
    size_t removed_count;
    bool replaces_cookie;
    struct bytes cookie; // not empty if it replaces
};

// In the arena, `headroom` bytes left free in front of the message, inside of what is returned. Data NULL
// when out of memory.
MUST_CHECK struct bytes ext_authz_write_denial(const struct ext_authz_denial *denial, size_t headroom,
                                               struct arena *arena);
MUST_CHECK struct bytes ext_authz_write_admission(const struct ext_authz_admission *admission,
                                                  size_t headroom, struct arena *arena);

#endif
