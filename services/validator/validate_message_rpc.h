// The messages of Validate, wire to domain and back. The only place that knows their generated types.
#ifndef LATCHKEY_SERVICES_VALIDATOR_VALIDATE_MESSAGE_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_VALIDATE_MESSAGE_RPC_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/validate_decide.h"

// Borrows from the message and the arena; false when out of memory.
MUST_CHECK bool validate_message_read(const Latchkey__V1__ValidateRequest *message, struct arena *arena,
                                      struct validate_question *ret_question);

// Borrows from the answer and the arena; NULL when out of memory.
MUST_CHECK const Latchkey__V1__ValidateResponse *validate_message_new(const struct validate_answer *answer,
                                                                      struct arena *arena);

#endif
