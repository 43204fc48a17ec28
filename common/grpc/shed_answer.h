// The answer to a call that is refused unseen, because its loop is behind: constant trailers-only header
// blocks, one for each of gRPC's media types. UNAVAILABLE, OVERLOADED, with RetryInfo and pushback, like the
// answers to calls that are looked at.
#ifndef LATCHKEY_COMMON_GRPC_SHED_ANSWER_H
#define LATCHKEY_COMMON_GRPC_SHED_ANSWER_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/content_type.h"
#include "common/grpc/header_fields.h"

struct shed_answers {
    struct arena arena;
    struct header_fields of[CONTENT_TYPE_COUNT]; // no rows: calls of that type are not refused unseen
};

// NO_MEMORY, with what there is to be released by shed_answers_fini().
MUST_CHECK enum status shed_answers_init(struct shed_answers *answers, bool has_details);
void shed_answers_fini(struct shed_answers *answers); // zeroed memory as well

#endif
