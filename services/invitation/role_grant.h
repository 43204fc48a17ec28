// Nobody gives a role that lets do more than the giver may do, at that moment and by what its groups come to
// cover: for members, invitations and the roles themselves. Pure.
#ifndef LATCHKEY_SERVICES_INVITATION_ROLE_GRANT_H
#define LATCHKEY_SERVICES_INVITATION_ROLE_GRANT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/access/group_list.h"
#include "common/access/permission.h"
#include "common/app/caller.h"
#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/invitation/role.h"

// Fixed by the contract: roles that one member may have.
#define MEMBER_ROLES_MAX 100

struct role_ids {
    struct uuid *ids; // ascending, each once
    size_t count;
};

// Names every text that is no role's id in the fault as `field[i]`, or the whole list where it has too many.
// Out of memory is told by the fault too.
void role_ids_parse(char *const *texts, size_t count, const char *field, struct arena *arena,
                    struct fault *fault, struct role_ids *ret_ids);

bool role_ids_have(const struct role_ids *ids, struct uuid role_id);

// Those that `ids` has and `others` has not; NO_MEMORY.
MUST_CHECK enum status role_ids_subtract(const struct role_ids *ids, const struct role_ids *others,
                                         struct arena *arena, struct role_ids *ret_ids);

// What a role lets do now; NULL when out of memory.
MUST_CHECK struct permission_set *role_get_permissions(const struct role *role,
                                                       const struct permission_catalogue *catalogue,
                                                       struct arena *arena);

// What a role lets do, or several, or a member or a token: now, and of what the catalogue gets later.
struct reach {
    struct permission_set *permissions;
    struct group_list groups;
};

// Of the roles together, in the arena. The built-in role has the group of every resource that there is. False
// when out of memory, as for all below.
MUST_CHECK bool role_list_get_reach(const struct role_list *roles,
                                    const struct permission_catalogue *catalogue, struct arena *arena,
                                    struct reach *ret_reach);

// Of grants; what the catalogue has lost lets do nothing now.
MUST_CHECK bool reach_of_grants(const struct bytes *grants, size_t count,
                                const struct permission_catalogue *catalogue, struct arena *arena,
                                struct reach *ret_reach);

// Leaves of `reach` what `others` has too.
MUST_CHECK bool reach_intersect(struct reach *reach, const struct reach *others, struct arena *arena);

// What stands against giving a role, if anything does: judged once, however many are to get it.
struct role_verdict {
    struct uuid role_id;
    struct fault fault;
};

struct role_verdicts {
    struct role_verdict *verdicts; // by ascending id, in the arena of the fault
    size_t count;
};

// Of each role of `present` (what role_store_look_for_many() found): it may let do no more than the caller.
// NO_MEMORY is told by the fault.
MUST_CHECK enum status role_judge_grants(const struct role_list *present, const struct caller *caller,
                                         struct fault *fault, struct role_verdicts *ret_verdicts);

// Every wanted role must have been judged: NOT_FOUND (ROLE_NOT_FOUND); and nothing may stand against it:
// PERMISSION_DENIED (GRANT_EXCEEDS_CALLER) with the first role that lets do more than the caller may, and
// what is too much of it.
MUST_CHECK enum status role_read_verdicts(const struct role_ids *wanted, const struct role_verdicts *verdicts,
                                          struct fault *fault);

// Both, for whoever gives roles once.
MUST_CHECK enum status role_check_grant(const struct role_ids *wanted, const struct role_list *present,
                                        const struct caller *caller, struct fault *fault);

// PERMISSION_DENIED (GRANT_EXCEEDS_CALLER) if `wanted` has anything that neither the caller nor `before`
// (NULL = nothing) does. `what` begins the sentence: "you can't give the role x".
MUST_CHECK enum status role_check_reach(const struct reach *wanted, const struct reach *before,
                                        const struct caller *caller, const char *what, struct arena *arena,
                                        struct fault *fault);

#endif
