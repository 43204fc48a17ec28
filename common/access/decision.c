// Each check by itself, and the decision as the first that fails, in the order of enum reason.
#include "common/access/decision.h"

#include <assert.h>

#include "common/access/domain.h"

const char *reason_get_name(enum reason reason) {
    static const char *const names[] = {
#define NAME(name) #name,
        REASON_TABLE(NAME)
#undef NAME
    };
    assert((unsigned)reason < REASON_COUNT);
    return names[reason];
}

bool reason_is_of_use(enum reason reason) {
    return reason == REASON_OK || (reason > REASON_EXPIRED && reason <= ACCESS_LAST_CHECK);
}

static bool is_login(const struct access_subject *subject) {
    return subject->kind == TOKEN_KIND_LOGIN;
}

static bool is_suspended(const struct access_subject *subject, int64_t now_ms) {
    return subject->is_suspended & (subject->suspended_until_ms > now_ms);
}

static bool is_channel_allowed(const struct access_subject *subject, unsigned channel) {
    if (channel != CHANNEL_API && channel != CHANNEL_UI)
        return false;
    return is_login(subject) || (subject->channels & CHANNEL_BIT(channel)) != 0;
}

bool access_is_whitelist_applied(const struct access_subject *subject) {
    return subject->is_whitelist_enabled &&
           (subject->whitelist_scope != WHITELIST_SCOPE_LOGINS || is_login(subject));
}

static bool is_listed(const struct ip_set *set, const struct access_request *request) {
    return ip_set_contains(set, &request->address, request->now_ms);
}

static bool is_domain_listed(const struct domain_set *domains, struct bytes domain) {
    struct domain_name name;
    if (domain_parse_origin(domain, &name) != DOMAIN_PARSE_OK)
        return false;
    return domain_set_find(domains, domain_name_get_bytes(&name)).len > 0;
}

static bool has_all(const struct access_subject *subject, const struct access_request *request) {
    for (size_t i = 0; i < request->permission_count; i++)
        if (!access_has_permission(subject, request->permissions[i]))
            return false;
    return true;
}

// why inline: with the loop of access_decide() unrolled, each check is known where it is made and the switch
// is gone.
static inline __attribute__((always_inline)) bool passes(enum reason check,
                                                         const struct access_subject *subject,
                                                         const struct access_request *request) {
    switch (check) {
    case REASON_UNKNOWN: return (subject->kind == TOKEN_KIND_ACCESS) | is_login(subject);
    case REASON_COMPANY_SUSPENDED: return !subject->is_company_suspended;
    case REASON_MEMBER_REMOVED: return !subject->is_member_removed;
    case REASON_DEACTIVATED: return !subject->is_deactivated;
    case REASON_SUSPENDED: return !is_suspended(subject, request->now_ms);
    case REASON_NOT_YET_VALID: return subject->not_before_ms <= request->now_ms;
    case REASON_EXPIRED: return subject->expires_at_ms > request->now_ms;
    case REASON_CHANNEL_NOT_ALLOWED: return is_channel_allowed(subject, request->channel);
    case REASON_COMPANY_IP_NOT_LISTED:
        return !access_is_whitelist_applied(subject) || is_listed(subject->company_ips, request);
    case REASON_MEMBER_IP_NOT_LISTED: return !subject->member_ips || is_listed(subject->member_ips, request);
    case REASON_TOKEN_IP_NOT_LISTED: return !subject->token_ips || is_listed(subject->token_ips, request);
    case REASON_DOMAIN_NOT_LISTED:
        return request->channel != CHANNEL_UI || !subject->domains ||
               is_domain_listed(subject->domains, request->domain);
    case REASON_PERMISSION_MISSING:
        return has_all(subject, request) && access_has_any_permission(subject, request);
    default: return false;
    }
}

bool access_passes(enum reason check, const struct access_subject *subject,
                   const struct access_request *request) {
    return passes(check, subject, request);
}

// The checks up to EXPIRED that fail, as bits. Without a branch: those are what is folded into one reason,
// and then the time does not tell them apart either.
static inline unsigned find_ended(const struct access_subject *subject,
                                  const struct access_request *request) {
    unsigned failed = 0;
#pragma GCC unroll 16
    for (enum reason check = ACCESS_FIRST_CHECK; check <= REASON_EXPIRED; check++)
        failed |= (unsigned)!passes(check, subject, request) << check;
    return failed;
}

enum reason access_decide(const struct access_subject *subject, const struct access_request *request) {
    if (!subject)
        return REASON_UNKNOWN;
    unsigned ended = find_ended(subject, request);
    if (ended != 0)
        return (enum reason)__builtin_ctz(ended);
#pragma GCC unroll 16
    for (enum reason check = REASON_EXPIRED + 1; check <= ACCESS_LAST_CHECK; check++)
        if (!passes(check, subject, request))
            return check;
    return REASON_OK;
}

bool access_has_permission(const struct access_subject *subject, uint32_t id) {
    if (is_login(subject))
        return permission_set_has(subject->owner, id);
    return permission_set_has(subject->granted, id) &&
           (subject->is_company_owned || permission_set_has(subject->owner, id));
}

bool access_has_any_permission(const struct access_subject *subject, const struct access_request *request) {
    for (size_t i = 0; i < request->any_permission_count; i++)
        if (access_has_permission(subject, request->any_permissions[i]))
            return true;
    return request->any_permission_count == 0;
}

const struct permission_set *access_find_permissions(const struct access_subject *subject) {
    if (is_login(subject))
        return subject->owner;
    if (subject->is_company_owned || permission_set_contains_all(subject->owner, subject->granted))
        return subject->granted;
    return permission_set_contains_all(subject->granted, subject->owner) ? subject->owner : NULL;
}

struct permission_set *access_get_permissions(const struct access_subject *subject, size_t limit,
                                              struct arena *arena) {
    struct permission_set *set = permission_set_new_in_arena(arena, limit);
    if (!set)
        return NULL;
    permission_set_unite(set, is_login(subject) ? subject->owner : subject->granted);
    if (!is_login(subject) && !subject->is_company_owned)
        permission_set_intersect(set, subject->owner);
    return set;
}
