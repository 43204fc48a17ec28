// What ValidateBatch and ValidateStream put around the questions and answers of validate_wire.h, read and
// written in the same way and compared with protobuf-c in the same tests.
//
// A stream's message may have its question in several pieces, which belong together (protobuf's rule): they
// are read as one, put one behind the other.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_ITEM_WIRE_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_ITEM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/decide/validate_decide.h"

// A ValidateBatchRequest by its outside: how many questions it has. MALFORMED: no such message; a question
// may still turn out to be none.
MUST_CHECK enum status validate_batch_wire_count(struct bytes message, size_t *ret_count);

// Takes the next question, for validate_wire_read(), from the front of a message that has been counted. False
// at its end.
bool validate_batch_wire_next(struct bytes *rest, struct bytes *ret_question);

// One more answer of a ValidateBatchResponse.
void validate_batch_wire_append(struct buffer *to, const struct validate_answer *answer);

// A ValidateStreamRequest. MALFORMED, NO_MEMORY. `*ret_question` borrows from the message, or is in the
// arena.
MUST_CHECK enum status validate_stream_wire_read(struct bytes message, struct arena *arena, uint64_t *ret_id,
                                                 struct bytes *ret_question);

// One more ValidateStreamResponse, with its prefix: for grpc_call_send_framed().
void validate_stream_wire_append(struct buffer *to, uint64_t id, const struct validate_answer *answer);

#endif
