// Who is told of everything that the writer does to an image, in its order: made again in the same order, it
// makes of an equal image an equal one. The feed is written from this (feed.h).
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_OBSERVER_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_OBSERVER_H

#include "common/access/permission.h"
#include "common/ip/ip_set.h"
#include "services/validator/image/image_rows.h"

// What a sweep is about: one row by its id, or all of a company's.
enum image_scope {
    IMAGE_COMPANY = 1,
    IMAGE_WHITELIST, // by the company's id
    IMAGE_ROLE,
    IMAGE_MEMBER,
    IMAGE_TOKEN,
    IMAGE_ROLES_OF,
    IMAGE_MEMBERS_OF,
    IMAGE_TOKENS_OF,
    IMAGE_SCOPE_COUNT,
};

// On the writer's thread, after it has been done. What was done only in part, because memory ran out, is not
// told. Everything is borrowed for the call.
struct image_observer {
    void (*on_catalogue)(void *context, const struct permission_definition *definitions, size_t count);
    void (*on_company)(void *context, const struct company_row *row);
    void (*on_whitelist)(void *context, const struct whitelist_row *row);
    void (*on_role)(void *context, const struct role_row *row);
    void (*on_member)(void *context, const struct member_row *row);
    void (*on_token)(void *context, const struct token_row *row);
    // `change` without prefixes has all entries of the list.
    void (*on_entries)(void *context, const struct uuid *company_id, const struct ip_set_change *change);
    // Whether or not there was anything to sweep.
    void (*on_sweep)(void *context, enum image_scope scope, const struct uuid *id);
};

#endif
