// The decision: may this token, presented from this address, on this channel, do this? Pure: it reads what it
// is given, allocates nothing and knows no clock. Validators ask it for every Validate, servers for every
// caller.
//
// Deny is zero: only REASON_OK admits, and a zeroed subject or request, an address that could not be read, a
// list that could not be loaded (pass an empty set) and an unknown permission are all refused, each with its
// reason.
#ifndef LATCHKEY_COMMON_ACCESS_DECISION_H
#define LATCHKEY_COMMON_ACCESS_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/access/domain_set.h"
#include "common/access/permission_set.h"
#include "common/base/bytes.h"
#include "common/ip/address.h"
#include "common/ip/ip_set.h"

// In the order of the checks; numbers as latchkey.v1.Reason.
#define REASON_TABLE(X)      \
    X(UNSPECIFIED)           \
    X(OK)                    \
    X(MALFORMED)             \
    X(UNKNOWN)               \
    X(COMPANY_SUSPENDED)     \
    X(MEMBER_REMOVED)        \
    X(DEACTIVATED)           \
    X(SUSPENDED)             \
    X(NOT_YET_VALID)         \
    X(EXPIRED)               \
    X(CHANNEL_NOT_ALLOWED)   \
    X(COMPANY_IP_NOT_LISTED) \
    X(MEMBER_IP_NOT_LISTED)  \
    X(TOKEN_IP_NOT_LISTED)   \
    X(DOMAIN_NOT_LISTED)     \
    X(PERMISSION_MISSING)    \
    X(NOT_CURRENT)

enum reason {
#define REASON_ENUM(name) REASON_##name,
    REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
        REASON_COUNT
};

// Without its prefix, e.g. "TOKEN_IP_NOT_LISTED"; static storage.
const char *reason_get_name(enum reason reason);

// Whether it is said of a token that is good by itself: it is let in, or refused for where it is used, or for
// what.
bool reason_is_of_use(enum reason reason);

// Numbers as latchkey.v1.TokenKind, latchkey.v1.Channel, latchkey.v1.WhitelistScope.
enum token_kind { TOKEN_KIND_NONE = 0, TOKEN_KIND_ACCESS = 1, TOKEN_KIND_LOGIN = 2 };
enum channel { CHANNEL_NONE = 0, CHANNEL_API = 1, CHANNEL_UI = 2 };
enum whitelist_scope { WHITELIST_SCOPE_NONE = 0, WHITELIST_SCOPE_ALL = 1, WHITELIST_SCOPE_LOGINS = 2 };

// Bits of access_subject.channels.
#define CHANNEL_BIT(channel) (1u << ((channel)-1))
#define CHANNEL_BITS_ALL (CHANNEL_BIT(CHANNEL_API) | CHANNEL_BIT(CHANNEL_UI))

// Everything about a token, its owner and its company that counts. Put together for one decision from
// immutable parts, which it borrows.
struct access_subject {
    int64_t not_before_ms;      // CLOCK_ALWAYS_MS = none
    int64_t expires_at_ms;      // the earlier of token and secret; CLOCK_NEVER_MS = none; zero has passed
    int64_t suspended_until_ms; // counts only if is_suspended; CLOCK_NEVER_MS = until resumed
    uint8_t kind;               // enum token_kind; NONE is refused as UNKNOWN
    uint8_t channels;           // CHANNEL_BIT()s; login tokens are good on both whatever stands here
    uint8_t whitelist_scope;    // enum whitelist_scope; anything but LOGINS covers every token
    bool is_company_suspended;
    bool is_member_removed;
    bool is_deactivated;
    bool is_suspended;
    bool is_whitelist_enabled;
    bool is_company_owned; // then `granted` alone says what it may do, and `owner` and `member_ips` are NULL

    const struct ip_set *company_ips; // NULL = nobody; looked at only if the whitelist is on
    const struct ip_set *member_ips;  // NULL = no restriction
    const struct ip_set *token_ips;   // NULL = no restriction
    const struct domain_set *domains; // NULL = no restriction; channel UI only

    const struct permission_set *granted; // to the token; a login token has none of its own
    const struct permission_set *owner;   // what the member may do now; NULL = nothing
};

struct access_request {
    int64_t now_ms;
    struct ip_address address; // family 0 = missing or unreadable
    uint8_t channel;           // enum channel
    struct bytes domain;       // host or Origin as presented; empty = none

    const uint32_t *permissions; // all are needed; PERMISSION_ID_NONE for unknown names
    size_t permission_count;
    const uint32_t *any_permissions; // one is needed, if there are any
    size_t any_permission_count;
};

// The checks that are made here; what comes before them is for whoever looks the secret up.
#define ACCESS_FIRST_CHECK REASON_UNKNOWN
#define ACCESS_LAST_CHECK REASON_PERMISSION_MISSING

// REASON_OK, or the first check that fails. NULL subject: REASON_UNKNOWN.
enum reason access_decide(const struct access_subject *subject, const struct access_request *request);

// One check by itself, whatever the others say. False for what is no check. `subject` is not NULL.
bool access_passes(enum reason check, const struct access_subject *subject,
                   const struct access_request *request);

// Whether the company's whitelist is on and its scope covers this kind of token.
bool access_is_whitelist_applied(const struct access_subject *subject);

// What the token may do now: granted AND owner, a login token what its owner may.
bool access_has_permission(const struct access_subject *subject, uint32_t id);

// One of any_permissions, or none is asked for.
bool access_has_any_permission(const struct access_subject *subject, const struct access_request *request);

// All that it may do now, where that is as much as the token was granted or as its owner may: that set. Else
// NULL, and access_get_permissions() makes it.
const struct permission_set *access_find_permissions(const struct access_subject *subject);

// All that it may do now, as a set in the arena; NULL when out of memory. `limit` is the catalogue's.
MUST_CHECK struct permission_set *access_get_permissions(const struct access_subject *subject, size_t limit,
                                                         struct arena *arena);

#endif
