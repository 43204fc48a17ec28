// What somebody holds of the permissions that the catalogue gets later: the groups among grants. All of
// today's names of a group are not the group, so whoever holds names gives names. Pure.
#ifndef LATCHKEY_COMMON_ACCESS_GROUP_LIST_H
#define LATCHKEY_COMMON_ACCESS_GROUP_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/access/permission.h"
#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"

struct group_list {
    struct bytes *groups; // in any order, perhaps one inside another
    size_t count;
};

// The groups among the grants, whose texts it borrows. False when out of memory, as for all below.
MUST_CHECK bool group_list_pick(const struct bytes *grants, size_t count, struct arena *arena,
                                struct group_list *ret_list);

// Whether the list has the group, or one around it: charges.* is around charges.eu.*.
bool group_list_has(const struct group_list *list, struct bytes group);

bool group_list_is_equal(const struct group_list *a, const struct group_list *b);

// What both have: of each pair, one around the other, the inner one.
MUST_CHECK bool group_list_intersect(const struct group_list *a, const struct group_list *b,
                                     struct arena *arena, struct group_list *ret_list);

// Adds to the list what `others` has.
MUST_CHECK bool group_list_unite(struct group_list *list, const struct group_list *others,
                                 struct arena *arena);

// What of `wanted` the list `held` has not, "charges.*, refunds.*", at most 20 groups; NULL = nothing.
// `ret_names` then says what of them there is today. NO_MEMORY is told by the fault.
MUST_CHECK const char *group_list_describe_excess(const struct permission_catalogue *catalogue,
                                                  const struct group_list *wanted,
                                                  const struct group_list *held, struct arena *arena,
                                                  struct fault *fault, const char **ret_names);

#endif
