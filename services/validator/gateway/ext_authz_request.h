// envoy.service.auth.v3.CheckRequest, as much of it as a decision goes by. Read by hand, because whatever a
// client can make a gateway send must get an answer: a call that fails is let through by a gateway whose
// failure_mode_allow says so. Texts are therefore any bytes, and are judged where they are used; what is not
// wanted is passed over without a look inside, as deep as it may be nested.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_EXT_AUTHZ_REQUEST_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_EXT_AUTHZ_REQUEST_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/metadata.h"

// Header fields that a gateway takes away from a request before it passes it on: those that say who is asking
// begin with this, any sign being as good as "-".
#define EXT_AUTHZ_IDENTITY_PREFIX "latchkey-"

struct ext_authz_extension {
    struct ext_authz_extension *next;
    struct bytes key, value;
};

// Borrows from the message and the arena.
struct ext_authz_request {
    struct bytes method;
    struct bytes path; // with its query
    struct bytes host;
    struct bytes source_address; // whom the gateway is asked by; text, empty for a socket without one

    // Those that matter, from `headers` and `header_map` alike, names in lower case: what presents a token
    // (also cookie), origin, x-forwarded-for, and what is not passed on. Once for each time that they came.
    struct metadata headers;

    struct ext_authz_extension *extensions; // of the route, in the gateway's configuration
};

// MALFORMED: no such message. NO_MEMORY.
MUST_CHECK enum status ext_authz_request_read(struct bytes message, struct arena *arena,
                                              struct ext_authz_request *ret_request);

// Whether it says who is asking (EXT_AUTHZ_IDENTITY_PREFIX).
bool ext_authz_header_is_identity(struct bytes name);

// Names of what some servers (Symfony, Zend, IIS; Rails, Express and many more) take for the path or the
// method in place of those that were decided about; and whether a name is one of them, in that spelling or
// another.
#define EXT_AUTHZ_OVERRIDE_COUNT 5
extern const char *const ext_authz_overrides[EXT_AUTHZ_OVERRIDE_COUNT];
bool ext_authz_header_is_override(struct bytes name);

#endif
