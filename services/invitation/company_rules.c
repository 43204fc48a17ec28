#include "services/invitation/company_rules.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };
#define DAY_MS (INT64_C(24) * 60 * MINUTE_MS)
// Ten years: a time minus such a span is one that the database can tell.
#define SPAN_MAX_MS (3650 * DAY_MS)

// Numbers of latchkey.v1.LeakAction and ReuseAction.
enum { LEAK_ACTION_LAST = 3, REUSE_ACTION_LAST = 2 };

static void check_name(struct bytes name, const char *field, struct fault *fault) {
    size_t length = bytes_count_code_points(name);
    if (length == 0 || length > COMPANY_NAME_MAX)
        fault_add_field(fault, field, "type a name of 1 to %d characters", COMPANY_NAME_MAX);
}

static void check_external_id(struct bytes external_id, const char *field, struct fault *fault) {
    if (bytes_count_code_points(external_id) > COMPANY_EXTERNAL_ID_MAX)
        fault_add_field(fault, field, "type at most %d characters", COMPANY_EXTERNAL_ID_MAX);
}

static void check_email(const char *email, struct fault *fault, struct company_draft *draft) {
    enum email_parse_result result = email_address_parse(bytes_of_text(email), &draft->administrator_email);
    if (result == EMAIL_PARSE_NO_MEMORY)
        fault_set_no_memory(fault);
    else if (result != EMAIL_PARSE_OK)
        fault_add_field(fault, "administrator_email", "%s", email_parse_result_get_text(result));
}

enum status company_check_wish(const struct company_wish *wish, struct fault *fault,
                               struct company_draft *ret_draft) {
    *ret_draft = (struct company_draft){.name = bytes_of_text(wish->name),
                                        .external_id = bytes_of_text(wish->external_id)};
    check_name(ret_draft->name, "name", fault);
    check_external_id(ret_draft->external_id, "external_id", fault);
    check_email(wish->administrator_email, fault, ret_draft);
    return fault->status;
}

// ---- changes ----

static bool is_wished(const struct company_change *change, enum company_field field) {
    bool is_policy = field > COMPANY_POLICY;
    return (change->fields >> field & 1) != 0 || (is_policy && (change->fields >> COMPANY_POLICY & 1) != 0);
}

static bool is_bounded(int64_t span_ms, int64_t min_ms, int64_t max_ms) {
    return span_ms == 0 || (span_ms >= min_ms && span_ms <= max_ms);
}

static void check_spans(const struct company_change *change, struct fault *fault,
                        struct company_policy *policy) {
    const struct company_policy *wished = &change->policy;
    if (is_wished(change, COMPANY_MAX_TOKEN_LIFETIME)) {
        policy->max_token_lifetime_ms = wished->max_token_lifetime_ms;
        if (!is_bounded(wished->max_token_lifetime_ms, SECOND_MS, SPAN_MAX_MS))
            fault_add_field(fault, "company.policy.max_token_lifetime",
                            "type a duration from 1 second to 3650 days, or 0 for no bound");
    }
    if (is_wished(change, COMPANY_DEACTIVATE_UNUSED_AFTER)) {
        policy->deactivate_unused_ms = wished->deactivate_unused_ms;
        if (!is_bounded(wished->deactivate_unused_ms, DAY_MS, SPAN_MAX_MS))
            fault_add_field(fault, "company.policy.deactivate_unused_after",
                            "type a duration from 1 day to 3650 days, or 0 for never");
    }
    if (is_wished(change, COMPANY_LOGIN_LIFETIME)) {
        policy->login_lifetime_ms = wished->login_lifetime_ms;
        if (!is_bounded(wished->login_lifetime_ms, MINUTE_MS, 30 * DAY_MS))
            fault_add_field(fault, "company.policy.login_lifetime",
                            "type a duration from 1 minute to 30 days, or 0 for the usual 3 hours");
    }
}

// Open enums: a peer may send any number.
static void check_actions(const struct company_change *change, struct fault *fault,
                          struct company_policy *policy) {
    const struct company_policy *wished = &change->policy;
    if (is_wished(change, COMPANY_REQUIRE_EXPIRY))
        policy->requires_expiry = wished->requires_expiry;
    if (is_wished(change, COMPANY_LEAK_ACTION)) {
        policy->leak_action = wished->leak_action;
        if (wished->leak_action < 0 || wished->leak_action > LEAK_ACTION_LAST)
            fault_add_field(fault, "company.policy.leak_action",
                            "type LEAK_ACTION_DEACTIVATE, LEAK_ACTION_SUSPEND or LEAK_ACTION_NOTIFY");
    }
    if (is_wished(change, COMPANY_REUSE_ACTION)) {
        policy->reuse_action = wished->reuse_action;
        if (wished->reuse_action < 0 || wished->reuse_action > REUSE_ACTION_LAST)
            fault_add_field(fault, "company.policy.reuse_action",
                            "type REUSE_ACTION_AUDIT or REUSE_ACTION_DEACTIVATE");
    }
}

enum status company_check_change(const struct company_change *change, struct fault *fault,
                                 struct company *company) {
    if (is_wished(change, COMPANY_NAME)) {
        company->name = change->name;
        check_name(bytes_of_text(change->name), "company.name", fault);
    }
    if (is_wished(change, COMPANY_EXTERNAL_ID)) {
        company->external_id = change->external_id;
        check_external_id(bytes_of_text(change->external_id), "company.external_id", fault);
    }
    check_spans(change, fault, &company->policy);
    check_actions(change, fault, &company->policy);
    return fault->status;
}
