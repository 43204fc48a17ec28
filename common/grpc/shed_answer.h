// The answer to a call that is refused unseen: one constant frame for each of gRPC's media types, in a form
// that leaves HPACK's state alone. UNAVAILABLE, OVERLOADED, with RetryInfo and pushback, like the answers to
// those that are looked at.
#ifndef LATCHKEY_COMMON_GRPC_SHED_ANSWER_H
#define LATCHKEY_COMMON_GRPC_SHED_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/grpc/content_type.h"

#define SHED_ANSWER_BYTES_MAX 480

struct shed_answer {
    uint8_t bytes[SHED_ANSWER_BYTES_MAX];
    size_t len; // 0 = calls of this type are not refused so
};

struct shed_answers {
    struct shed_answer of[CONTENT_TYPE_COUNT];
};

// From the fault that they tell. NO_MEMORY; EXHAUSTED when it is too long.
MUST_CHECK enum status shed_answers_init(struct shed_answers *answers, const struct fault *fault,
                                         bool has_details);

// A copy for that stream; returns its length.
size_t shed_answer_write(const struct shed_answer *answer, int32_t stream, uint8_t *to);

#endif
