// A role as the invitation service knows it. Everything borrowed here lives in the arena of the call.
#ifndef LATCHKEY_SERVICES_INVITATION_ROLE_H
#define LATCHKEY_SERVICES_INVITATION_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/uuid.h"

struct role {
    struct uuid role_id;
    const char *name;
    bool is_built_in;     // the administrator: all that exists at the moment but what only the operator may
    struct bytes *grants; // as typed, NUL-terminated; the built-in role has none of its own
    size_t grant_count;
    int64_t created_at_ms;
    int64_t version;
};

struct role_list {
    struct role *roles;
    size_t count;
    bool has_more;
};

#endif
