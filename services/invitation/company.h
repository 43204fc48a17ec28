// A company as the invitation service knows it. Everything borrowed here lives in the arena of the call.
#ifndef LATCHKEY_SERVICES_INVITATION_COMPANY_H
#define LATCHKEY_SERVICES_INVITATION_COMPANY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/uuid.h"

// Rules for its tokens; 0 = the deployment's default. Actions are numbers of latchkey.v1.LeakAction and
// ReuseAction.
struct company_policy {
    int64_t max_token_lifetime_ms;
    bool requires_expiry;
    int64_t deactivate_unused_ms;
    int leak_action, reuse_action;
    int64_t login_lifetime_ms;
};

struct company {
    struct uuid company_id;
    const char *name, *external_id;
    bool is_operator; // the deployment's own
    bool is_suspended;
    struct company_policy policy;
    int64_t created_at_ms;
    int64_t version;
};

#endif
