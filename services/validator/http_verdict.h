// What a decision is in HTTP, wherever it is told that way (CONTRACT): a secret that is none, or no longer,
// is 401; a place, a channel or a permission that is not the token's is 403.
#ifndef LATCHKEY_SERVICES_VALIDATOR_HTTP_VERDICT_H
#define LATCHKEY_SERVICES_VALIDATOR_HTTP_VERDICT_H

#include "common/access/decision.h"

struct http_verdict {
    unsigned status;
    const char *code;  // gRPC's, in lower case
    const char *error; // of WWW-Authenticate (RFC 6750); NULL = there is none to send
    const char *text;  // one sentence for whoever presented the token
};

// Of any number: what is no known reason refuses. REASON_OK is 200.
const struct http_verdict *http_verdict_of(int reason);

#endif
