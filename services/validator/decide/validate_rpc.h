// Validate, as the transport calls it: unary, on the loop, from memory. What holds before a question is
// decided is looked at in this order: is it well-formed, is the validator current, may the caller ask, is
// min_revision reached.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_RPC_H

#include "common/grpc/method.h"
#include "services/validator/decide/validate_service.h"

// Its context is a struct validate_service.
extern const struct grpc_handler validate_handler;

#endif
