// What a run of changes is about, summed up: for each kind the ids to read again, each once, however often
// the log names them. Pure.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_CHANGE_SET_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_CHANGE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/ip/prefix.h"

enum change_scope {
    CHANGE_COMPANIES,  // ids of companies
    CHANGE_WHITELISTS, // ids of companies: settings and pointer; all that are in LISTS_OF, too
    CHANGE_LISTS,      // ids of lists to be read as a whole, live or not; their companies' are in the next
    CHANGE_LISTS_OF,   // ids of companies in whose lists anything has changed
    CHANGE_ROLES,
    CHANGE_ROLES_OF, // ids of companies: anything of the kind
    CHANGE_MEMBERS,
    CHANGE_MEMBERS_OF,
    CHANGE_TOKENS,
    CHANGE_TOKENS_OF,
    CHANGE_SCOPES
};

// A prefix under which entries of a list have changed.
struct changed_prefix {
    struct uuid list_id;
    struct ip_prefix prefix;
};

// Zeroed memory is an empty one.
struct change_set {
    bool has_catalogue;
    struct buffer ids[CHANGE_SCOPES]; // struct uuid
    struct buffer prefixes;           // struct changed_prefix
};

void change_set_fini(struct change_set *set);

// One row of the log. `objects` NULL means anything of this kind in the company. INVALID: a kind that this
// release does not know, so that it can't follow.
struct change {
    struct bytes kind;
    struct uuid company_id; // zero = the deployment's
    struct uuid list_id;
    const struct uuid *objects;
    size_t object_count;
    const struct ip_prefix *prefixes; // of entries of the list; NULL = any
    size_t prefix_count;
};
MUST_CHECK enum status change_set_add(struct change_set *set, const struct change *change);

// After the last one: each id once, in order. NO_MEMORY also when an earlier addition ran out of it.
MUST_CHECK enum status change_set_finish(struct change_set *set);

// Borrows from the set.
const struct uuid *change_set_get_ids(const struct change_set *set, enum change_scope scope,
                                      size_t *ret_count);

// In a finished set: the prefixes that changed in the list, in order and each once. Borrows from the set.
const struct changed_prefix *change_set_get_prefixes(const struct change_set *set, const struct uuid *list_id,
                                                     size_t *ret_count);

// In a finished set.
bool change_set_has(const struct change_set *set, enum change_scope scope, const struct uuid *id);

#endif
