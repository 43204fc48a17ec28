// Validate, as the transport calls it: unary, on the loop, from memory. What holds before a question is
// decided is looked at in this order: is it well-formed, is the validator current, may the caller ask, is
// min_revision reached.
#ifndef LATCHKEY_SERVICES_VALIDATOR_VALIDATE_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_VALIDATE_RPC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/bearer.h"
#include "common/app/use_log.h"
#include "common/grpc/method.h"
#include "common/ip/ip_set.h"
#include "services/validator/reading.h"
#include "services/validator/validate_counters.h"
#include "services/validator/validate_decide.h"
#include "services/validator/validate_wait.h"
#include "services/validator/validator.h"

// What one loop has for itself.
struct validate_loop {
    _Alignas(64) struct reading reading;
    struct validate_waits waits;
    struct validate_counters counters;
    struct use_loop *uses;
};

// The context of the methods: made before the loops start, then const but for what the loops own.
struct validate_service {
    const struct validator *validator;
    struct bearer_shape shape;            // of secrets, asked about and presented
    const struct ip_set *trusted_proxies; // NULL = none
    bool folds_reasons;
    int64_t min_revision_wait_ms;
    struct validate_loop *loops; // by the loop's index
};

// On the loop's thread, before its first call and after its last; leaving ends what is parked.
void validate_loop_enter(struct validate_loop *mine, struct loop *loop);
void validate_loop_leave(struct validate_loop *mine);

extern const struct grpc_handler validate_handler;

// The same for another method that carries a question, one without min_revision: one decision, one count and
// one note of use. The answer is good until the end of the loop's turn. On failure the call's fault is
// filled.
MUST_CHECK enum status validate_answer_now(const struct validate_service *service,
                                           struct grpc_call *transport,
                                           const struct validate_question *question,
                                           struct validate_answer *ret_answer);

#endif
