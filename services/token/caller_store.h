// What GetCaller and ListPermissions read beside what the frame knows of the caller.
#ifndef LATCHKEY_SERVICES_TOKEN_CALLER_STORE_H
#define LATCHKEY_SERVICES_TOKEN_CALLER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/method.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// The name of the company that the call is about, in the arena.
MUST_CHECK enum status caller_store_get_company_name(struct app_call *call, const char **ret_name);

struct permission_row {
    const char *name, *description;
};

struct permission_list {
    struct permission_row *rows;
    size_t count;
    bool has_more;
};

// The catalogue after the name `after` (empty = from the start), by name, at most `limit`, in the arena.
MUST_CHECK enum status caller_store_list_permissions(struct app_call *call, struct bytes after, int32_t limit,
                                                     struct permission_list *ret_list);

#endif
