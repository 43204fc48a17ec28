// ValidateBatch, as the transport calls it: unary, on the loop, a portion a turn (backlog.h). One look-ahead
// at the outside of the request counts its questions; each is read when it is decided, and its answer
// written at once, so a batch takes the memory of its request and its answer.
//
// The first question whose min_revision is not reached holds up those behind it, which could not leave
// before it anyway: at most until the batch has waited as long as one call may. What is not reached then is
// NOT_CURRENT.
//
//   counted --> in the backlog --a portion--> in the backlog ... --> answered
//                   |      ^
//                   v      | reached, or waited long enough
//                   parked-+
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_BATCH_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_BATCH_RPC_H

#include "common/grpc/method.h"
#include "services/validator/decide/validate_service.h"

#define VALIDATE_BATCH_MAX 1000
#define VALIDATE_BATCH_ANSWER_MAX (4 << 20) // what clients take unless they are told otherwise

// Its context is a struct validate_service.
extern const struct grpc_handler validate_batch_handler;

#endif
