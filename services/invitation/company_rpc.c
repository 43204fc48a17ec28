#include "services/invitation/company_rpc.h"

#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/app/paging.h"
#include "common/base/typeid.h"
#include "services/invitation/company_message_rpc.h"
#include "services/invitation/company_rules.h"
#include "services/invitation/company_store.h"
#include "services/invitation/member_message_rpc.h"

// ---- CreateCompany ----

static enum status give_birth(struct app_call *call, const struct company_draft *draft,
                              Latchkey__V1__CreateCompanyResponse *response) {
    const struct clock *clock = app_get_clock(call->app);
    app_call_enter_company(call, uuid_new(clock)); // the change is the new company's, not the operator's
    struct company_birth birth = {
        .role_id = uuid_new(clock), .member_id = uuid_new(clock), .list_id = uuid_new(clock)};
    struct company *company;
    struct member administrator;
    enum status status = company_store_create(call, draft, &birth, &company, &administrator);
    if (status != STATUS_OK)
        return status;
    response->company = company_message_new(company, call->arena);
    response->administrator = member_message_new(&administrator, call->arena);
    if (!response->company || !response->administrator)
        return fault_set_no_memory(call->fault);
    status =
        audit_note(call, "company.created", response->company->company_id, NULL, &response->company->base);
    if (status != STATUS_OK)
        return status;
    return audit_note(call, "member.created", response->administrator->member_id, NULL,
                      &response->administrator->base);
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

// ---- which company ----

enum status company_rpc_enter(struct app_call *call, const char *text, const char *field) {
    struct uuid company_id;
    if (!*text)
        return STATUS_OK;
    if (!typeid_parse(bytes_of_text(text), TYPEID_COMPANY, &company_id)) {
        fault_add_field(call->fault, field, "type a company's id, such as cmp_01h455vb4pex5vsknk084sn02q");
        return call->fault->status;
    }
    if (uuid_is_equal(company_id, call->company_id))
        return STATUS_OK;
    if (!caller_has_permission(call->caller, "latchkey.operate"))
        return fault_set(call->fault, STATUS_NOT_FOUND, "COMPANY_NOT_FOUND", "there is no company %s", text);
    app_call_enter_company(call, company_id);
    return STATUS_OK;
}

// ---- GetCompany ----

enum status company_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                            ProtobufCMessage **ret_response) {
    const Latchkey__V1__GetCompanyRequest *request = (const Latchkey__V1__GetCompanyRequest *)message;
    Latchkey__V1__GetCompanyResponse *response = ARENA_NEW(call->arena, Latchkey__V1__GetCompanyResponse);
    struct company *company;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__get_company_response__init(response);
    enum status status = company_rpc_enter(call, request->company_id, "company_id");
    if (status == STATUS_OK)
        status = company_store_find(call, &company);
    if (status != STATUS_OK)
        return status;
    response->company = company_message_new(company, call->arena);
    *ret_response = &response->base;
    return response->company ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- ListCompanies ----

static void read_filter(const Latchkey__V1__ListCompaniesRequest *request, struct fault *fault,
                        struct company_filter *ret_filter) {
    int state = (int)request->state; // an open enum: a peer may send any number
    if (state < COMPANY_STATE_ANY || state > COMPANY_STATE_SUSPENDED)
        fault_add_field(fault, "state", "type one of the states of a company, or leave it unset for all");
    *ret_filter = (struct company_filter){.state = (enum company_state)state,
                                          .name_contains = bytes_of_text(request->name_contains),
                                          .external_id = bytes_of_text(request->external_id)};
}

static bool fill_list(Latchkey__V1__ListCompaniesResponse *response, const ProtobufCMessage *request,
                      const struct company_list *list, const struct app_call *call) {
    response->companies = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__Company *, list->count);
    for (size_t i = 0; response->companies && i < list->count; i++)
        if (!(response->companies[i] = company_message_new(&list->companies[i], call->arena)))
            return false;
    response->n_companies = list->count;
    if (list->has_more)
        response->next_page_token =
            paging_make_id_token(call, request, list->companies[list->count - 1].company_id);
    return response->companies && response->next_page_token;
}

enum status company_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                             ProtobufCMessage **ret_response) {
    Latchkey__V1__ListCompaniesResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ListCompaniesResponse);
    struct id_page page;
    struct company_filter filter;
    struct company_list list;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__list_companies_response__init(response);
    paging_parse_id(call, message, &page);
    read_filter((const Latchkey__V1__ListCompaniesRequest *)message, call->fault, &filter);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = company_store_list(call, &filter, page.after, page.size, &list);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_list(response, message, &list, call) ? STATUS_OK : fault_set_no_memory(call->fault);
}
