// One function describes each check; whether it passed is asked of the decision itself, never worked out a
// second time.
#include "common/access/explain.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "common/access/domain.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"

struct explainer {
    const struct access_subject *subject;
    const struct access_request *request;
    const struct permission_catalogue *catalogue;
    struct arena *arena;
    struct access_explanation *explanation;
};

#define TIME_TEXT_MAX 32

// "2026-11-24T08:00:00.000Z"; "?" for a time that no calendar has.
static void format_time(int64_t at_ms, char ret_text[TIME_TEXT_MAX]) {
    int64_t ms = (at_ms % 1000 + 1000) % 1000;
    time_t seconds = (time_t)(at_ms / 1000 - (at_ms % 1000 < 0));
    struct tm parts;
    char text[TIME_TEXT_MAX - sizeof(".000Z")];
    snprintf(ret_text, TIME_TEXT_MAX, "?");
    if (gmtime_r(&seconds, &parts) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) > 0)
        snprintf(ret_text, TIME_TEXT_MAX, "%s.%03uZ", text, (unsigned)ms % 1000);
}

static const char *describe_unknown(struct explainer *explainer, bool passed) {
    (void)explainer;
    return passed ? "the token is known" : "no token has this secret";
}

static const char *describe_company(struct explainer *explainer, bool passed) {
    (void)explainer;
    return passed ? "the company is not suspended" : "the company is suspended";
}

static const char *describe_member(struct explainer *explainer, bool passed) {
    if (explainer->subject->is_company_owned && passed)
        return "the token is owned by the company, not by a member";
    return passed ? "the member who owns the token is present" : "the member who owns the token was removed";
}

static const char *describe_deactivation(struct explainer *explainer, bool passed) {
    (void)explainer;
    return passed ? "the token was not deactivated" : "the token was deactivated";
}

static const char *describe_time(struct explainer *explainer, const char *event, int64_t at_ms) {
    char at[TIME_TEXT_MAX], now[TIME_TEXT_MAX];
    format_time(at_ms, at);
    format_time(explainer->request->now_ms, now);
    return arena_format(explainer->arena, "%s %s; it is %s", event, at, now);
}

static const char *describe_suspension(struct explainer *explainer, bool passed) {
    const struct access_subject *subject = explainer->subject;
    if (!subject->is_suspended)
        return "the token is not suspended";
    if (subject->suspended_until_ms == CLOCK_NEVER_MS)
        return "the token is suspended until it is resumed";
    return describe_time(explainer, passed ? "the token was suspended until" : "the token is suspended until",
                         subject->suspended_until_ms);
}

static const char *describe_beginning(struct explainer *explainer, bool passed) {
    if (explainer->subject->not_before_ms == CLOCK_ALWAYS_MS)
        return "the token is valid from its creation";
    return describe_time(explainer, passed ? "the token is valid since" : "the token is not valid before",
                         explainer->subject->not_before_ms);
}

static const char *describe_expiry(struct explainer *explainer, bool passed) {
    if (explainer->subject->expires_at_ms == CLOCK_NEVER_MS)
        return "the token does not expire";
    return describe_time(explainer, passed ? "the token expires at" : "the token expired at",
                         explainer->subject->expires_at_ms);
}

static const char *describe_channel(struct explainer *explainer, bool passed) {
    switch (explainer->request->channel) {
    case CHANNEL_API: return passed ? "the token is good for the API" : "the token is not for the API";
    case CHANNEL_UI:
        return passed ? "the token is good for the user interface"
                      : "the token is not for the user interface";
    default: return "the request names no channel";
    }
}

static unsigned get_common_bits(const struct explainer *explainer, const struct ip_set_entry *entry) {
    return ip_prefix_get_common_bits(&entry->prefix, &explainer->request->address);
}

static struct access_listed_entry list_entry(const struct explainer *explainer, enum list_kind list,
                                             const struct ip_set_entry *entry) {
    return (struct access_listed_entry){
        .list = list,
        .entry = *entry,
        .common_bits = get_common_bits(explainer, entry),
    };
}

static const char *describe_miss(struct explainer *explainer, const char *address,
                                 const struct ip_set_entry *nearest) {
    char prefix[IP_PREFIX_TEXT_MAX + 1];
    ip_prefix_format(&nearest->prefix, prefix);
    if (!ip_prefix_contains_address(&nearest->prefix, &explainer->request->address))
        return arena_format(explainer->arena, "%s is not listed; the nearest entry is %s, %u bits in common",
                            address, prefix, get_common_bits(explainer, nearest));
    char ended_at[TIME_TEXT_MAX];
    format_time(nearest->ends_at_ms, ended_at);
    return arena_format(explainer->arena, "%s is not listed; the entry %s ended at %s", address, prefix,
                        ended_at);
}

// Looks at one list of addresses and notes what it found.
static const char *describe_list(struct explainer *explainer, enum list_kind list, const struct ip_set *set) {
    const struct access_request *request = explainer->request;
    if (request->address.family == IP_FAMILY_NONE)
        return "the request has no address that can be read";
    char address[IP_ADDRESS_TEXT_MAX + 1], prefix[IP_PREFIX_TEXT_MAX + 1];
    ip_address_format(&request->address, address);
    struct ip_set_entry entry;
    if (ip_set_find(set, &request->address, request->now_ms, &entry)) {
        explainer->explanation->matched = list_entry(explainer, list, &entry);
        ip_prefix_format(&entry.prefix, prefix);
        return arena_format(explainer->arena, "%s is listed by %s", address, prefix);
    }
    if (!ip_set_find_nearest(set, &request->address, request->now_ms, &entry))
        return arena_format(explainer->arena, "%s is not listed; the list has no live entry for this family",
                            address);
    if (explainer->explanation->nearest_miss.list == LIST_KIND_NONE)
        explainer->explanation->nearest_miss = list_entry(explainer, list, &entry);
    return describe_miss(explainer, address, &entry);
}

static const char *describe_company_ips(struct explainer *explainer, bool passed) {
    (void)passed;
    if (!explainer->subject->is_whitelist_enabled)
        return "the company's whitelist is off";
    if (!access_is_whitelist_applied(explainer->subject))
        return "the company's whitelist is for log-ins only";
    return describe_list(explainer, LIST_KIND_COMPANY, explainer->subject->company_ips);
}

static const char *describe_member_ips(struct explainer *explainer, bool passed) {
    (void)passed;
    if (!explainer->subject->member_ips)
        return "the member has no IP list";
    return describe_list(explainer, LIST_KIND_MEMBER, explainer->subject->member_ips);
}

static const char *describe_token_ips(struct explainer *explainer, bool passed) {
    (void)passed;
    if (!explainer->subject->token_ips)
        return "the token has no IP list";
    return describe_list(explainer, LIST_KIND_TOKEN, explainer->subject->token_ips);
}

static const char *describe_domain_miss(struct explainer *explainer, struct bytes name) {
    struct bytes nearest = domain_set_find_nearest(explainer->subject->domains, name);
    if (nearest.len == 0)
        return arena_format(explainer->arena, "%.*s is not listed", BYTES_FORMAT(name));
    if (explainer->explanation->nearest_miss.list == LIST_KIND_NONE)
        explainer->explanation->nearest_miss =
            (struct access_listed_entry){.list = LIST_KIND_DOMAIN, .domain = nearest};
    return arena_format(explainer->arena, "%.*s is not listed; the nearest pattern is %.*s",
                        BYTES_FORMAT(name), BYTES_FORMAT(nearest));
}

static const char *describe_domain(struct explainer *explainer, bool passed) {
    const struct access_subject *subject = explainer->subject;
    if (explainer->request->channel != CHANNEL_UI)
        return "domains are compared in the user interface only";
    if (!subject->domains)
        return "the token has no domain list";
    struct domain_name name;
    enum domain_parse_result result = domain_parse_origin(explainer->request->domain, &name);
    if (result != DOMAIN_PARSE_OK)
        return arena_format(explainer->arena, "the domain can't be read: %s",
                            domain_parse_result_get_text(result));
    struct bytes text = domain_name_get_bytes(&name);
    if (!passed)
        return describe_domain_miss(explainer, text);
    struct bytes pattern = domain_set_find(subject->domains, text);
    return arena_format(explainer->arena, "%.*s is listed by %.*s", BYTES_FORMAT(text),
                        BYTES_FORMAT(pattern));
}

static void append_missing(const struct explainer *explainer, const uint32_t *ids, size_t count,
                           const char *separator, struct buffer *to) {
    for (size_t i = 0; i < count; i++) {
        if (access_has_permission(explainer->subject, ids[i]))
            continue;
        const char *name = permission_catalogue_find_name(explainer->catalogue, ids[i]);
        if (to->len > 0)
            buffer_append_text(to, separator);
        buffer_append_text(to, name ? name : "one that is not in the catalogue");
    }
}

static const char *describe_permissions(struct explainer *explainer, bool passed) {
    const struct access_request *request = explainer->request;
    if (request->permission_count == 0 && request->any_permission_count == 0)
        return "no permission is asked for";
    if (passed)
        return "every permission asked for is held";
    struct buffer all = {0}, any = {0};
    append_missing(explainer, request->permissions, request->permission_count, ", ", &all);
    if (!access_has_any_permission(explainer->subject, request))
        append_missing(explainer, request->any_permissions, request->any_permission_count, " or ", &any);
    const char *joint = all.len > 0 && any.len > 0 ? ", and " : "";
    const char *text = all.failed || any.failed
                           ? NULL
                           : arena_format(explainer->arena, "not held: %.*s%s%.*s", (int)all.len,
                                          all.len > 0 ? (const char *)all.data : "", joint, (int)any.len,
                                          any.len > 0 ? (const char *)any.data : "");
    buffer_fini(&all);
    buffer_fini(&any);
    return text;
}

static const char *(*const describers[REASON_COUNT])(struct explainer *, bool passed) = {
    [REASON_UNKNOWN] = describe_unknown,
    [REASON_COMPANY_SUSPENDED] = describe_company,
    [REASON_MEMBER_REMOVED] = describe_member,
    [REASON_DEACTIVATED] = describe_deactivation,
    [REASON_SUSPENDED] = describe_suspension,
    [REASON_NOT_YET_VALID] = describe_beginning,
    [REASON_EXPIRED] = describe_expiry,
    [REASON_CHANNEL_NOT_ALLOWED] = describe_channel,
    [REASON_COMPANY_IP_NOT_LISTED] = describe_company_ips,
    [REASON_MEMBER_IP_NOT_LISTED] = describe_member_ips,
    [REASON_TOKEN_IP_NOT_LISTED] = describe_token_ips,
    [REASON_DOMAIN_NOT_LISTED] = describe_domain,
    [REASON_PERMISSION_MISSING] = describe_permissions,
};

static enum status explain_check(struct explainer *explainer, enum reason check) {
    struct access_explanation *explanation = explainer->explanation;
    bool passed = access_passes(check, explainer->subject, explainer->request);
    const char *detail = describers[check](explainer, passed);
    if (!detail)
        return STATUS_NO_MEMORY;
    explanation->steps[explanation->step_count++] =
        (struct access_step){.check = check, .passed = passed, .detail = detail};
    if (!passed && explanation->reason == REASON_OK)
        explanation->reason = check;
    return STATUS_OK;
}

enum status access_explain(const struct access_subject *subject, const struct access_request *request,
                           const struct permission_catalogue *catalogue, struct arena *arena,
                           struct access_explanation *ret_explanation) {
    static const struct access_subject nobody;
    struct access_explanation explanation = {.reason = REASON_OK};
    struct explainer explainer = {subject ? subject : &nobody, request, catalogue, arena, &explanation};
    enum reason last = subject ? ACCESS_LAST_CHECK : REASON_UNKNOWN;
    for (enum reason check = ACCESS_FIRST_CHECK; check <= last; check++) {
        enum status status = explain_check(&explainer, check);
        if (status != STATUS_OK)
            return status;
    }
    *ret_explanation = explanation;
    return STATUS_OK;
}
