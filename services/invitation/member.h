// A member as the invitation service knows it. Everything borrowed here lives in the arena of the call.
#ifndef LATCHKEY_SERVICES_INVITATION_MEMBER_H
#define LATCHKEY_SERVICES_INVITATION_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "common/ip/prefix_list.h"
#include "services/invitation/role_grant.h"

// Numbers as latchkey.v1.MemberState.
enum member_state {
    MEMBER_STATE_ANY = 0, // in a filter
    MEMBER_STATE_ACTIVE = 1,
    MEMBER_STATE_REMOVED = 2,
};

// What may be chosen for a member.
struct member_draft {
    const char *email, *display_name, *issuer, *subject, *external_id;
    struct role_ids roles;
    struct prefix_list allowed_ips; // empty = no restriction
};

struct member {
    struct uuid member_id;
    struct member_draft is;
    int64_t removed_at_ms; // CLOCK_NEVER_MS = is a member
    int64_t created_at_ms;
    int64_t version;
};

static inline bool member_is_removed(const struct member *member) {
    return member->removed_at_ms != CLOCK_NEVER_MS;
}

#endif
