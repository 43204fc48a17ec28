// What one image knows that another does not show: from the memory of a validator and what it loads of a
// database that lost changes, which changes those were. What ends somebody's access in the memory alone is
// told by its own name; other differences only as such, since an image does not tell which is the newer.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_COMPARE_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/validator/image/image.h"

// Names are the audit log's for such a change. *_UNKNOWN: the object is in the database, and could let
// somebody in, but not in the memory. *_CREATED is missing in the database.
#define LOST_CHANGE_TABLE(X)                                                    \
    X(TOKEN_DEACTIVATED, "token.deactivated")                                   \
    X(TOKEN_SUSPENDED, "token.suspended")                                       \
    X(TOKEN_EXPIRY_SHORTENED, "token.expiry_shortened")                         \
    X(TOKEN_ROTATED, "token.rotated") /* a secret is good that should not be */ \
    X(TOKEN_UPDATED, "token.updated") /* grants, lists, owner, not-before */    \
    X(TOKEN_CREATED, "token.created")                                           \
    X(TOKEN_UNKNOWN, "token.unknown")                                           \
    X(MEMBER_REMOVED, "member.removed")                                         \
    X(MEMBER_UPDATED, "member.updated") /* roles, addresses */                  \
    X(MEMBER_CREATED, "member.created")                                         \
    X(MEMBER_UNKNOWN, "member.unknown")                                         \
    X(ROLE_UPDATED, "role.updated")                                             \
    X(ROLE_CREATED, "role.created")                                             \
    X(ROLE_UNKNOWN, "role.unknown")                                             \
    X(COMPANY_SUSPENDED, "company.suspended")                                   \
    X(COMPANY_CREATED, "company.created")                                       \
    X(COMPANY_UNKNOWN, "company.unknown")                                       \
    X(WHITELIST_UPDATED, "whitelist.updated")                                   \
    X(PERMISSIONS_SET, "permissions.set")

enum lost_change_kind {
#define LOST_CHANGE_ENUM(name, text) LOST_##name,
    LOST_CHANGE_TABLE(LOST_CHANGE_ENUM)
#undef LOST_CHANGE_ENUM
};

struct lost_change {
    enum lost_change_kind kind;
    struct uuid company_id, object_id; // zero: the catalogue
    int64_t until_ms; // of a suspension or the shorter expiry; else CLOCK_NEVER_MS, as until resumed
};

const char *lost_change_get_name(enum lost_change_kind kind);

struct image_compare_options {
    bool lanes[LANE_COUNT]; // whose companies are compared: what others have is only newer
    int64_t now_ms;
};

// Calls `tell` for each difference, some more than once; the first that it does not answer with OK is the
// result. The two images have one fingerprint key. The writer of both.
MUST_CHECK enum status image_compare(const struct image *memory, const struct image *database,
                                     const struct image_compare_options *options,
                                     enum status (*tell)(void *context, const struct lost_change *change),
                                     void *context);

#endif
