#include "services/invitation/company_rpc.h"

#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/base/typeid.h"
#include "services/invitation/company_message_rpc.h"
#include "services/invitation/company_rules.h"
#include "services/invitation/company_store.h"

// ---- CreateCompany ----

// The TypeID under which other objects name whoever calls.
static struct typeid name_caller(const struct caller *caller) {
    return uuid_is_zero(caller->member_id) ? typeid_of(TYPEID_TOKEN, caller->token_id)
                                           : typeid_of(TYPEID_MEMBER, caller->member_id);
}

// In the log of the new company, of which they are the first events.
static enum status note_birth(struct app_call *call, struct uuid company_id,
                              const Latchkey__V1__CreateCompanyResponse *response) {
    enum status status =
        audit_note(call, "company.created", response->company->company_id, NULL, &response->company->base);
    audit_set_company(call, company_id);
    if (status == STATUS_OK)
        status = audit_note(call, "member.created", response->administrator->member_id, NULL,
                            &response->administrator->base);
    audit_set_company(call, company_id);
    return status;
}

static enum status give_birth(struct app_call *call, const struct company_draft *draft,
                              Latchkey__V1__CreateCompanyResponse *response) {
    const struct clock *clock = app_get_clock(call->app);
    struct typeid maker = name_caller(call->caller);
    struct company_birth birth = {.company_id = uuid_new(clock),
                                  .role_id = uuid_new(clock),
                                  .member_id = uuid_new(clock),
                                  .list_id = uuid_new(clock),
                                  .created_by = maker.text};
    struct company *company;
    struct company_administrator administrator;
    enum status status = company_store_create(call, draft, &birth, &company, &administrator);
    if (status != STATUS_OK)
        return status;
    call->lane = company->lane; // the change is the new company's, not the operator's
    response->company = company_message_new(company, call->arena);
    response->administrator = company_message_new_administrator(&administrator, call->arena);
    if (!response->company || !response->administrator)
        return fault_set_no_memory(call->fault);
    return note_birth(call, company->company_id, response);
}

enum status company_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                               ProtobufCMessage **ret_response) {
    const Latchkey__V1__CreateCompanyRequest *request = (const Latchkey__V1__CreateCompanyRequest *)message;
    Latchkey__V1__CreateCompanyResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__CreateCompanyResponse);
    struct company_wish wish = {request->name, request->external_id, request->administrator_email};
    struct company_draft draft;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__create_company_response__init(response);
    enum status status = company_check_wish(&wish, call->fault, &draft);
    if (status == STATUS_OK)
        status = give_birth(call, &draft, response);
    *ret_response = &response->base;
    return status;
}

// ---- GetCompany ----

static struct uuid read_company_id(const char *text, struct app_call *call) {
    struct uuid company_id = call->company_id;
    if (*text && !typeid_parse(bytes_of_text(text), TYPEID_COMPANY, &company_id))
        fault_add_field(call->fault, "company_id",
                        "type a company's id, such as cmp_01h455vb4pex5vsknk084sn02q");
    return company_id;
}

// Whether there is another company is no business of whoever is not an operator.
static enum status check_visible(const struct app_call *call, struct uuid company_id) {
    bool is_own = uuid_is_equal(company_id, call->company_id);
    if (is_own || caller_has_permission(call->caller, "latchkey.operate"))
        return STATUS_OK;
    return fault_set(call->fault, STATUS_NOT_FOUND, "COMPANY_NOT_FOUND", "there is no company %s",
                     typeid_of(TYPEID_COMPANY, company_id).text);
}

enum status company_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                            ProtobufCMessage **ret_response) {
    const Latchkey__V1__GetCompanyRequest *request = (const Latchkey__V1__GetCompanyRequest *)message;
    Latchkey__V1__GetCompanyResponse *response = ARENA_NEW(call->arena, Latchkey__V1__GetCompanyResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__get_company_response__init(response);

    struct company *company;
    struct uuid company_id = read_company_id(request->company_id, call);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = check_visible(call, company_id);
    if (status == STATUS_OK)
        status = company_store_find(call, company_id, &company);
    if (status != STATUS_OK)
        return status;
    response->company = company_message_new(company, call->arena);
    *ret_response = &response->base;
    return response->company ? STATUS_OK : fault_set_no_memory(call->fault);
}
