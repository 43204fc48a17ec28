// What a decision is in HTTP, wherever it is told that way (CONTRACT): a secret that is none, or no longer,
// is 401; a place, a channel or a permission that is not the token's is 403.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_HTTP_VERDICT_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_HTTP_VERDICT_H

#include <stdbool.h>

#include "common/access/decision.h"
#include "common/base/fault.h"
#include "common/base/status.h"

struct http_verdict {
    unsigned status;
    const char *code;      // gRPC's, in lower case
    const char *challenge; // WWW-Authenticate, of who has presented a token; NULL = there is none to send
    const char *text;      // one sentence for whoever presented the token
};

// Of any number: what is no known reason refuses. REASON_OK is 200.
const struct http_verdict *http_verdict_of(int reason);

// Of a question that was not decided, by the status of the call that asked it: 403 where whoever asks may not
// (their client can't mend that by another token, and must not believe so), 400 for one that can't be asked,
// else 503: ask again. `text` goes before the call's own sentence.
const struct http_verdict *http_verdict_of_failure(enum status status);

// How long to wait before asking again, for retry-after: in whole seconds, at least one.
unsigned http_verdict_get_retry_after_s(const struct fault *fault);

// The value of www-authenticate to send with it, or NULL. Who has presented nothing is told of no error (RFC
// 6750). Static storage.
const char *http_verdict_get_challenge(const struct http_verdict *verdict, bool presents_token);

#endif
