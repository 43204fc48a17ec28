// A list of addresses and ranges as somebody typed it, for a token or a member. Pure.
#ifndef LATCHKEY_COMMON_IP_PREFIX_LIST_H
#define LATCHKEY_COMMON_IP_PREFIX_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/ip/prefix.h"

struct prefix_list {
    struct ip_prefix *prefixes;
    size_t count;
};

// Names every text that is no address in the fault, or the whole list where it has more than `max`. Out of
// memory is told by the fault too.
void prefix_list_parse(char *const *texts, size_t count, int64_t max, const char *field, struct arena *arena,
                       struct fault *fault, struct prefix_list *ret_list);

// As they are shown, always with their bits; NULL when out of memory.
char **prefix_list_format(const struct prefix_list *list, struct arena *arena);

// Whether the list, if there is one, lets the address in: an empty list holds every address, and no address
// (family 0) is in none.
bool prefix_list_admits(const struct prefix_list *list, const struct ip_address *address);

// In the order in which they stand.
bool prefix_list_is_equal(const struct prefix_list *a, const struct prefix_list *b);

// The same addresses in order, by as few prefixes as there can be: none lies in another, and no two are the
// halves of one. NO_MEMORY.
MUST_CHECK enum status prefix_list_reduce(const struct prefix_list *list, struct arena *arena,
                                          struct prefix_list *ret_reduced);

// Whether a reduced list holds all of the prefix: a binary search. An empty list holds every one.
bool prefix_list_covers(const struct prefix_list *reduced, const struct ip_prefix *prefix);

// Whether the list lets in nothing that `outer` does not. NO_MEMORY.
MUST_CHECK enum status prefix_list_compare_reach(const struct prefix_list *list,
                                                 const struct prefix_list *outer, struct arena *arena,
                                                 bool *ret_is_within);

#endif
