// An invitation as the service knows it. Everything borrowed here lives in the arena of the call.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/uuid.h"
#include "common/ip/prefix_list.h"
#include "services/invitation/invitation_state.h"

struct invitation {
    struct uuid invitation_id;
    const char *email;
    struct uuid *role_ids;
    size_t role_count;
    struct prefix_list ips;
    enum invitation_state state; // now
    int generation;              // of the links that work
    char delivery;               // 'q', 's', 'f', 'd' as in mail_outbox; '\0' = long forgotten
    const char *delivery_detail;
    int64_t expires_at_ms;
    int resent_count;
    int64_t resent_at_ms;    // CLOCK_ALWAYS_MS = never
    int64_t accepted_at_ms;  // CLOCK_ALWAYS_MS = not
    struct uuid accepted_by; // request_id; zero = none
    struct uuid member_id;   // zero = not accepted
    int64_t created_at_ms;
    const char *created_by;
};

struct invitation_list {
    struct invitation *invitations;
    size_t count;
    bool has_more;
};

#endif
