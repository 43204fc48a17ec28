// A list of grants as somebody typed it, for a token or a role: each one must cover something of the
// catalogue. Pure.
#ifndef LATCHKEY_COMMON_ACCESS_GRANT_LIST_H
#define LATCHKEY_COMMON_ACCESS_GRANT_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "common/access/permission.h"
#include "common/access/permission_set.h"
#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"

struct grant_list {
    struct bytes *grants; // borrow from what was typed
    size_t count;
    struct permission_set *covered; // all that they cover together; NULL where the list was refused
};

struct grant_list_terms {
    const struct permission_catalogue *catalogue;
    int64_t max;       // grants; a longer list is refused as a whole
    const char *field; // its path in the request
};

// Names every grant that covers nothing in the fault, with the nearest name that there is. Out of memory is
// told by the fault too.
void grant_list_parse(char *const *texts, size_t count, const struct grant_list_terms *terms,
                      struct arena *arena, struct fault *fault, struct grant_list *ret_list);

// What of `wanted` the set `held` lacks, "charges.create, refunds.create", at most 20 names; NULL = nothing.
// NO_MEMORY is told by the fault.
MUST_CHECK const char *grant_list_describe_excess(const struct permission_catalogue *catalogue,
                                                  const struct permission_set *wanted,
                                                  const struct permission_set *held, struct arena *arena,
                                                  struct fault *fault);

#endif
