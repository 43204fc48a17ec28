#include "common/app/refusal.h"

struct refusal {
    enum status status;
    const char *text;
};

static const struct refusal refusals[REASON_COUNT] = {
    [REASON_MALFORMED] = {STATUS_UNAUTHENTICATED,
                          "this is not one of our secrets: check that it was copied whole"},
    [REASON_UNKNOWN] = {STATUS_UNAUTHENTICATED, "no token has this secret"},
    [REASON_COMPANY_SUSPENDED] = {STATUS_PERMISSION_DENIED, "the company is suspended; ask the operator"},
    [REASON_MEMBER_REMOVED] = {STATUS_UNAUTHENTICATED,
                               "the owner of this token has been removed from the company"},
    [REASON_DEACTIVATED] = {STATUS_UNAUTHENTICATED,
                            "this token has been deactivated, for good; make another"},
    [REASON_SUSPENDED] = {STATUS_UNAUTHENTICATED, "this token is suspended"},
    [REASON_NOT_YET_VALID] = {STATUS_UNAUTHENTICATED, "this token is not valid yet"},
    [REASON_EXPIRED] = {STATUS_UNAUTHENTICATED,
                        "this token, or the secret of it that was presented, has expired"},
    [REASON_CHANNEL_NOT_ALLOWED] = {STATUS_PERMISSION_DENIED, "this token is not for the API"},
    [REASON_COMPANY_IP_NOT_LISTED] = {STATUS_PERMISSION_DENIED,
                                      "the company's whitelist does not hold your address"},
    [REASON_MEMBER_IP_NOT_LISTED] = {STATUS_PERMISSION_DENIED,
                                     "the member's IP list does not hold your address"},
    [REASON_TOKEN_IP_NOT_LISTED] = {STATUS_PERMISSION_DENIED,
                                    "the token's IP list does not hold your address"},
    [REASON_PERMISSION_MISSING] = {STATUS_PERMISSION_DENIED, "the token, or its owner, lacks the permission"},
};

enum status refusal_set(struct fault *fault, enum reason reason, const struct ip_address *address,
                        const char *permission) {
    const struct refusal *refusal = &refusals[reason];
    if (!refusal->text) // deny is zero: a reason without words still refuses
        return fault_set(fault, STATUS_PERMISSION_DENIED, reason_get_name(reason), "refused");

    char address_text[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(address, address_text);
    switch (reason) {
    case REASON_COMPANY_IP_NOT_LISTED:
    case REASON_MEMBER_IP_NOT_LISTED:
    case REASON_TOKEN_IP_NOT_LISTED:
        fault_add_detail(fault, "clientIp", "%s", address_text);
        return fault_set(fault, refusal->status, reason_get_name(reason), "%s (%s)", refusal->text,
                         address_text[0] ? address_text : "unknown");
    case REASON_PERMISSION_MISSING:
        fault_add_detail(fault, "permission", "%s", permission);
        return fault_set(fault, refusal->status, reason_get_name(reason), "%s %s", refusal->text, permission);
    default: return fault_set(fault, refusal->status, reason_get_name(reason), "%s", refusal->text);
    }
}
