// UpdateCompany, SuspendCompany, ResumeCompany.
#include <string.h>

#include "common/app/audit.h"
#include "common/grpc/etag.h"
#include "common/protobuf/timestamp.h"
#include "common/protobuf/update_mask.h"
#include "services/invitation/company_message_rpc.h"
#include "services/invitation/company_rpc.h"
#include "services/invitation/company_rules.h"
#include "services/invitation/company_store.h"

// ---- UpdateCompany ----

static const char *const update_fields[COMPANY_FIELD_COUNT] = {
    [COMPANY_NAME] = "name",
    [COMPANY_EXTERNAL_ID] = "external_id",
    [COMPANY_POLICY] = "policy",
    [COMPANY_MAX_TOKEN_LIFETIME] = "policy.max_token_lifetime",
    [COMPANY_REQUIRE_EXPIRY] = "policy.require_expiry",
    [COMPANY_DEACTIVATE_UNUSED_AFTER] = "policy.deactivate_unused_after",
    [COMPANY_LEAK_ACTION] = "policy.leak_action",
    [COMPANY_REUSE_ACTION] = "policy.reuse_action",
    [COMPANY_LOGIN_LIFETIME] = "policy.login_lifetime",
};

// What is no span, or would be rounded to none, is negative: the rules refuse it.
static int64_t read_span(const Google__Protobuf__Duration *duration) {
    int64_t ms;
    if (!duration)
        return 0;
    if (!duration_get_ms(duration, &ms) || (ms == 0 && duration->nanos != 0))
        return -1;
    return ms;
}

static struct company_policy read_policy(const Latchkey__V1__CompanyPolicy *policy) {
    if (!policy)
        return (struct company_policy){0};
    return (struct company_policy){
        .max_token_lifetime_ms = read_span(policy->max_token_lifetime),
        .requires_expiry = policy->require_expiry,
        .deactivate_unused_ms = read_span(policy->deactivate_unused_after),
        .leak_action = (int)policy->leak_action,
        .reuse_action = (int)policy->reuse_action,
        .login_lifetime_ms = read_span(policy->login_lifetime),
    };
}

// All bad fields at once, before anything is looked up.
static enum status read_change(struct app_call *call, const Latchkey__V1__UpdateCompanyRequest *request,
                               const Latchkey__V1__Company *wish, struct company_change *ret_change) {
    struct company scratch = {0};
    *ret_change = (struct company_change){
        .fields = update_mask_parse(request->update_mask, update_fields, COMPANY_FIELD_COUNT, call->fault),
        .name = wish->name,
        .external_id = wish->external_id,
        .policy = read_policy(wish->policy),
    };
    return company_check_change(ret_change, call->fault, &scratch);
}

// The own name and policy are the company's, all else is the operator's. Whoever may change neither is told
// so before anything else.
static enum status require_either(const struct app_call *call) {
    if (caller_has_permission(call->caller, "latchkey.operate"))
        return STATUS_OK;
    return caller_require(call->caller, "latchkey.company.manage", call->fault);
}

static enum status check_rights(const struct app_call *call, const struct company_change *change) {
    bool is_own = uuid_is_equal(call->company_id, call->caller->company_id);
    enum status status = STATUS_OK;
    if (!is_own || (change->fields & UPDATE_MASK_BIT(COMPANY_EXTERNAL_ID)))
        status = caller_require(call->caller, "latchkey.operate", call->fault);
    if (status == STATUS_OK && is_own && (change->fields & ~UPDATE_MASK_BIT(COMPANY_EXTERNAL_ID)))
        status = caller_require(call->caller, "latchkey.company.manage", call->fault);
    return status;
}

static bool is_same(const struct company *a, const struct company *b) {
    const struct company_policy *p = &a->policy, *q = &b->policy;
    return strcmp(a->name, b->name) == 0 && strcmp(a->external_id, b->external_id) == 0 &&
           p->max_token_lifetime_ms == q->max_token_lifetime_ms && p->requires_expiry == q->requires_expiry &&
           p->deactivate_unused_ms == q->deactivate_unused_ms && p->leak_action == q->leak_action &&
           p->reuse_action == q->reuse_action && p->login_lifetime_ms == q->login_lifetime_ms;
}

// The answer, and what the audit log says of the change.
static enum status tell(struct app_call *call, const char *action, const struct company *before,
                        const struct company *after, Latchkey__V1__Company **ret_message) {
    Latchkey__V1__Company *is = company_message_new(after, call->arena);
    Latchkey__V1__Company *was = company_message_new(before, call->arena);
    if (!is || !was)
        return fault_set_no_memory(call->fault);
    *ret_message = is;
    return before == after ? STATUS_OK : audit_note(call, action, is->company_id, &was->base, &is->base);
}

static enum status update(struct app_call *call, const struct company_change *change, const char *etag,
                          Latchkey__V1__Company **ret_message) {
    struct company *before, *after;
    enum status status = company_store_lock(call, &before);
    if (status == STATUS_OK)
        status = etag_check(etag, before->version, call->fault);
    if (status != STATUS_OK)
        return status;
    struct company wanted = *before;
    after = before;
    status = company_check_change(change, call->fault, &wanted);
    if (status == STATUS_OK && !is_same(before, &wanted))
        status = company_store_update(call, &wanted, &after);
    return status == STATUS_OK ? tell(call, "company.updated", before, after, ret_message) : status;
}

enum status company_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                               ProtobufCMessage **ret_response) {
    static const Latchkey__V1__Company nothing = LATCHKEY__V1__COMPANY__INIT;
    const Latchkey__V1__UpdateCompanyRequest *request = (const Latchkey__V1__UpdateCompanyRequest *)message;
    const Latchkey__V1__Company *wish = request->company ? request->company : &nothing;
    Latchkey__V1__UpdateCompanyResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__UpdateCompanyResponse);
    struct company_change change;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__update_company_response__init(response);
    enum status status = require_either(call);
    if (status == STATUS_OK)
        status = read_change(call, request, wish, &change);
    if (status == STATUS_OK || status == STATUS_INVALID)
        status = company_rpc_enter(call, wish->company_id, "company.company_id");
    if (status == STATUS_OK)
        status = call->fault->status;
    if (status == STATUS_OK)
        status = check_rights(call, &change);
    if (status == STATUS_OK)
        status = update(call, &change, wish->etag, &response->company);
    *ret_response = &response->base;
    return status;
}

// ---- SuspendCompany, ResumeCompany ----

static enum status enter(struct app_call *call, const char *company_id) {
    if (!*company_id)
        fault_add_field(call->fault, "company_id",
                        "type a company's id, such as cmp_01h455vb4pex5vsknk084sn02q");
    enum status status = company_rpc_enter(call, company_id, "company_id");
    return status == STATUS_OK ? call->fault->status : status;
}

// What it was and what it is; the same where it is so already.
static enum status set_suspended(struct app_call *call, bool is_suspended, struct company **ret_before,
                                 struct company **ret_after) {
    enum status status = company_store_lock(call, ret_before);
    if (status != STATUS_OK)
        return status;
    *ret_after = *ret_before;
    if ((*ret_before)->is_suspended == is_suspended)
        return STATUS_OK;
    if ((*ret_before)->is_operator)
        return fault_set(call->fault, STATUS_FAILED_PRECONDITION, "OPERATOR_COMPANY",
                         "the operator's own company can't be suspended: nobody could resume it");
    return company_store_set_suspended(call, is_suspended, ret_after);
}

// The audit log keeps why, beside what changed.
static enum status note_reason(struct app_call *call, const Latchkey__V1__Company *company,
                               const char *note) {
    Latchkey__V1__SuspendCompanyRequest reason = LATCHKEY__V1__SUSPEND_COMPANY_REQUEST__INIT;
    reason.note = (char *)note;
    return *note ? audit_note(call, "company.suspension_explained", company->company_id, NULL, &reason.base)
                 : STATUS_OK;
}

enum status company_rpc_suspend(struct app_call *call, const ProtobufCMessage *message,
                                ProtobufCMessage **ret_response) {
    const Latchkey__V1__SuspendCompanyRequest *request = (const Latchkey__V1__SuspendCompanyRequest *)message;
    Latchkey__V1__SuspendCompanyResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__SuspendCompanyResponse);
    struct company *before, *after;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__suspend_company_response__init(response);
    if (bytes_count_code_points(bytes_of_text(request->note)) > COMPANY_NOTE_MAX)
        fault_add_field(call->fault, "note", "type at most %d characters", COMPANY_NOTE_MAX);
    enum status status = enter(call, request->company_id);
    if (status == STATUS_OK)
        status = set_suspended(call, true, &before, &after);
    if (status == STATUS_OK)
        status = tell(call, "company.suspended", before, after, &response->company);
    if (status == STATUS_OK && before != after)
        status = note_reason(call, response->company, request->note);
    *ret_response = &response->base;
    return status;
}

enum status company_rpc_resume(struct app_call *call, const ProtobufCMessage *message,
                               ProtobufCMessage **ret_response) {
    const Latchkey__V1__ResumeCompanyRequest *request = (const Latchkey__V1__ResumeCompanyRequest *)message;
    Latchkey__V1__ResumeCompanyResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ResumeCompanyResponse);
    struct company *before, *after;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__resume_company_response__init(response);
    enum status status = enter(call, request->company_id);
    if (status == STATUS_OK)
        status = set_suspended(call, false, &before, &after);
    if (status == STATUS_OK)
        status = tell(call, "company.resumed", before, after, &response->company);
    *ret_response = &response->base;
    return status;
}
