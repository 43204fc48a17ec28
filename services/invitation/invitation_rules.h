// What an invitation must be like. Pure: every bad field is named in the fault at once, with a sentence that
// says what to type instead; what passes comes out in the form in which it is stored.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_RULES_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_RULES_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/ip/prefix_list.h"
#include "services/invitation/email_address.h"
#include "services/invitation/role_grant.h"

// Fixed by the contract.
#define INVITATIONS_PER_CALL_MAX 100
#define INVITATION_IPS_MAX 10000
#define DISPLAY_NAME_MAX 100

// As it was typed.
struct invitation_wish {
    const char *email;
    char *const *role_ids;
    size_t role_count;
    char *const *ips;
    size_t ip_count;
};

// As it will be stored.
struct invitation_draft {
    struct email_address email;
    struct role_ids roles;
    struct prefix_list ips;
};

// INVALID with every bad field, or NO_MEMORY; the draft is then of no use.
MUST_CHECK enum status invitation_check_wish(const struct invitation_wish *wish, struct arena *arena,
                                             struct fault *fault, struct invitation_draft *ret_draft);

// The name that an invited person gives: 1 to 100 characters, at least one of which is no space.
void invitation_check_display_name(const char *name, struct fault *fault);

// "a***@example.com": enough for its owner to know it again. NULL when out of memory.
MUST_CHECK char *invitation_mask_email(const char *email, struct arena *arena);

#endif
