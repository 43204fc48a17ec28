#include "services/token/login_rules.h"

#include "common/base/clock.h"
#include "common/base/typeid.h"

// ---- the request ----

static struct bytes cut(struct bytes text, size_t max) {
    size_t len = 0;
    for (size_t i = 0; i < max && len < text.len; i++)
        len += bytes_measure_code_point(bytes_of(text.data + len, text.len - len));
    return bytes_of(text.data, len);
}

static void check_member_id(const char *text, struct fault *fault, struct login_draft *draft) {
    if (!typeid_parse(bytes_of_text(text), TYPEID_MEMBER, &draft->member_id))
        fault_add_field(fault, "member_id", "type a member's id, such as mbr_01h455vb4pex5vsknk084sn02q");
}

static void check_key(const struct login_wish *wish, struct fault *fault, struct login_draft *draft) {
    bool has_id = *wish->member_id, has_email = *wish->email, has_issuer = *wish->issuer,
         has_subject = *wish->subject;
    bool has_identity = has_issuer || has_subject;
    draft->key = has_id ? LOGIN_BY_ID : has_identity ? LOGIN_BY_SUBJECT : LOGIN_BY_EMAIL;
    draft->email = bytes_of_text(wish->email);
    draft->issuer = bytes_of_text(wish->issuer);
    draft->subject = bytes_of_text(wish->subject);
    if (has_id + (has_email || has_identity) != 1)
        fault_add_field(fault, "member_id",
                        "name the member by member_id, or by issuer and subject, email, or both");
    else if (has_issuer != has_subject)
        fault_add_field(fault, has_issuer ? "subject" : "issuer", "issuer and subject belong together");
    if (has_id)
        check_member_id(wish->member_id, fault, draft);
}

static void check_address(const struct login_wish *wish, struct fault *fault, struct login_draft *draft) {
    struct bytes text = bytes_of_text(wish->client_ip);
    if (text.len == 0)
        return; // where no list applies nobody asks for it
    enum ip_parse_result result = ip_address_parse(text, &draft->address);
    if (result != IP_PARSE_OK)
        fault_add_field(fault, "client_ip", "%s", ip_parse_result_get_text(result));
    ip_address_format(&draft->address, draft->client_ip);
}

static void check_channel(const struct login_wish *wish, struct fault *fault, struct login_draft *draft) {
    int channel = wish->channel == CHANNEL_NONE ? CHANNEL_UI : wish->channel;
    if (channel != CHANNEL_API && channel != CHANNEL_UI)
        fault_add_field(fault, "channel", "type CHANNEL_UI or CHANNEL_API, or leave it unset");
    draft->channel = (uint8_t)channel;
}

enum status login_check_wish(const struct login_wish *wish, struct fault *fault,
                             struct login_draft *ret_draft) {
    *ret_draft =
        (struct login_draft){.user_agent = cut(bytes_of_text(wish->user_agent), LOGIN_USER_AGENT_MAX)};
    check_key(wish, fault, ret_draft);
    check_address(wish, fault, ret_draft);
    check_channel(wish, fault, ret_draft);
    return fault->status;
}

// ---- the decision ----

enum reason login_decide(const struct login_person *person, const struct login_draft *draft, int64_t now_ms) {
    const struct access_subject subject = {
        .not_before_ms = CLOCK_ALWAYS_MS,
        .expires_at_ms = CLOCK_NEVER_MS,
        .kind = TOKEN_KIND_LOGIN,
        .channels = CHANNEL_BITS_ALL,
        .whitelist_scope = person->whitelist_scope,
        .is_company_suspended = person->is_company_suspended,
        .is_member_removed = person->is_removed,
        .is_whitelist_enabled = person->is_whitelist_enabled,
        .company_ips = person->company_ips,
        .member_ips = person->member_ips,
    };
    const struct access_request request = {
        .now_ms = now_ms, .address = draft->address, .channel = draft->channel};
    return access_decide(&subject, &request);
}

struct login_near login_find_near(const struct ip_set *list, const struct ip_address *address,
                                  int64_t now_ms) {
    struct ip_set_entry entry;
    if (!ip_set_find_nearest(list, address, now_ms, &entry))
        return (struct login_near){0};
    return (struct login_near){.is_there = true,
                               .prefix = entry.prefix,
                               .holds_address = ip_prefix_contains_address(&entry.prefix, address),
                               .common_bits = ip_prefix_get_common_bits(&entry.prefix, address)};
}

// ---- the refusal ----

static enum status refuse_address(struct fault *fault, enum reason reason, const struct login_draft *draft,
                                  const struct login_near *near) {
    const char *list =
        reason == REASON_COMPANY_IP_NOT_LISTED ? "the company's whitelist" : "the member's own list";
    const char *name = reason_get_name(reason);
    fault_add_detail(fault, "clientIp", "%s", draft->client_ip);
    if (draft->address.family == IP_FAMILY_NONE)
        return fault_set(fault, STATUS_PERMISSION_DENIED, name,
                         "%s applies, and client_ip does not say where the person logs in from", list);
    if (!near->is_there)
        return fault_set(fault, STATUS_PERMISSION_DENIED, name, "%s does not hold %s, nor anything near it",
                         list, draft->client_ip);
    char text[IP_PREFIX_TEXT_MAX + 1];
    ip_prefix_format(&near->prefix, text);
    fault_add_detail(fault, "nearestEntry", "%s", text);
    if (near->holds_address)
        return fault_set(fault, STATUS_PERMISSION_DENIED, name,
                         "%s holds %s only in %s, which is disabled or has ended", list, draft->client_ip,
                         text);
    return fault_set(
        fault, STATUS_PERMISSION_DENIED, name,
        "%s does not hold %s; its nearest entry is %s, with the first %u of %u checking bits alike", list,
        draft->client_ip, text, near->common_bits, near->prefix.bits);
}

enum status login_refuse(struct fault *fault, enum reason reason, const struct login_draft *draft,
                         const struct login_near *near) {
    const char *name = reason_get_name(reason);
    switch (reason) {
    case REASON_COMPANY_SUSPENDED:
        return fault_set(fault, STATUS_FAILED_PRECONDITION, name,
                         "the company is suspended; nobody of it can log in");
    case REASON_MEMBER_REMOVED:
        return fault_set(fault, STATUS_FAILED_PRECONDITION, name,
                         "the member has been removed from the company");
    case REASON_COMPANY_IP_NOT_LISTED:
    case REASON_MEMBER_IP_NOT_LISTED: return refuse_address(fault, reason, draft, near);
    default: // deny is zero: a reason without words still refuses
        return fault_set(fault, STATUS_PERMISSION_DENIED, name, "refused");
    }
}
