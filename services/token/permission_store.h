// The deployment's part of the catalogue in the database.
#ifndef LATCHKEY_SERVICES_TOKEN_PERMISSION_STORE_H
#define LATCHKEY_SERVICES_TOKEN_PERMISSION_STORE_H

#include <stddef.h>

#include "common/app/call.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

#define PERMISSION_USES_MAX 100

// Terminated texts in the arena.
struct permission_entry {
    struct bytes name, description;
};

// A token or role that is granted a permission that would be gone.
struct permission_use {
    struct bytes permission;
    struct uuid token_id, role_id; // one of them
    const char *name;              // the token's label, the role's name
};

struct permission_replacement {
    struct permission_entry *before, *after; // by name
    size_t before_count, after_count;
    struct permission_use *uses; // by permission; at most PERMISSION_USES_MAX
    size_t use_count;
};

// One round trip. Whoever does not like the uses fails, which undoes the replacement.
MUST_CHECK enum status permission_store_replace(struct app_call *call, const struct bytes *names,
                                                const struct bytes *descriptions, size_t count,
                                                struct permission_replacement *ret_replacement);

#endif
