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

// Whether the list lets in nothing that `outer` does not: each of its prefixes lies in one of those.
// Neighbours that cover one only together do not count. NO_MEMORY.
MUST_CHECK enum status prefix_list_compare_reach(const struct prefix_list *list,
                                                 const struct prefix_list *outer, struct arena *arena,
                                                 bool *ret_is_within);

#endif
