// Validate, asked from inside of the process by what came another way (/check, /introspect): one decision,
// one count and one note of use, whoever carries the question.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_RELAY_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_RELAY_RPC_H

#include <stdbool.h>

#include "common/app/http_route.h"
#include "common/base/fault.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_question.h"

// Fills in `call` for a question that `asker` asks (the secret of a bearer; empty = nobody in particular).
// What is no text (UTF-8 without NUL) is left out, and decided as if it were missing. False and the answer
// filled when out of memory.
MUST_CHECK bool relay_ask(const struct http_request *request, const struct validate_question *question,
                          struct bytes asker, struct local_request *call, struct http_answer *answer);

// What Validate answered, or NULL and the fault filled, whose arena is the request's. In it.
const Latchkey__V1__ValidateResponse *relay_read(const struct http_request *request,
                                                 const struct local_response *response, struct fault *fault);

// Adds to *list what a form says once more; 256 at most are kept, all are counted. False when out of memory.
struct relay_list {
    struct bytes *names;
    size_t count;
};
MUST_CHECK bool relay_list_add(struct relay_list *list, struct bytes name, struct arena *arena);

// How long to wait before asking again, in seconds: for retry-after.
void relay_add_retry_after(const struct http_request *request, const struct fault *fault,
                           struct http_answer *answer);

#endif
