#include "services/validator/decide/denials_rpc.h"

#include <string.h>

#include "common/base/typeid.h"
#include "common/grpc/call.h"
#include "common/grpc/page.h"
#include "common/protobuf/timestamp.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/denial_list.h"
#include "services/validator/decide/validate_turn.h"

#define PERMISSION "latchkey.validate.denials"
#define PERMISSION_ANY "latchkey.validate.any"

// In the call's arena.
struct list_call {
    struct errand errand;
    struct loop_task task;
    const struct lookup_service *lookups;
    const struct validate_service *service;
    struct grpc_call *transport;
    struct arena *arena;
    struct fault *fault;
    const Latchkey__V1__ListDenialsRequest *request;
    struct page_scope scope;
    struct page page;
    bool sees_any;
    bool was_current; // when the errand ran
};

// ---- what is asked for ----

static void read_company(struct list_call *call, const struct validate_turn *turn) {
    struct bytes id = bytes_of_text(call->request->company_id);
    call->scope.company_id = turn->asker.company_id;
    if (id.len > 0 && !typeid_parse(id, TYPEID_COMPANY, &call->scope.company_id))
        fault_add_field(call->fault, "company_id", "send the id of a company, or nothing for your own");
}

static enum status read(struct list_call *call, const struct validate_turn *turn) {
    const ProtobufCMessage *request = &call->request->base;
    int reason = (int)call->request->reason;
    read_company(call, turn);
    if (reason < 0 || reason >= REASON_COUNT)
        fault_add_field(call->fault, "reason", "send a reason that this validator knows, or none");
    page_parse(&call->scope, request, sizeof(struct denial_place), call->arena, call->fault, &call->page);
    if (call->fault->status != STATUS_OK)
        return call->fault->status;
    call->sees_any = validate_asker_holds(turn->view.image, &turn->asker, PERMISSION_ANY);
    bool is_own = uuid_is_equal(call->scope.company_id, turn->asker.company_id);
    return is_own ? STATUS_OK : validate_turn_require(turn, PERMISSION_ANY, call->fault);
}

// ---- the answer ----

static char *format_address(struct arena *arena, const struct ip_address *address) {
    char text[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(address, text);
    return arena_copy_text(arena, text);
}

static char *format_id(struct arena *arena, const char *prefix, struct uuid id) {
    return arena_copy_text(arena, uuid_is_zero(id) ? "" : typeid_of(prefix, id).text);
}

static Latchkey__V1__Denial *make_denial(struct arena *arena, const struct denial *denial) {
    struct made {
        Latchkey__V1__Denial message;
        Google__Protobuf__Timestamp first_at, last_at;
    } *made = arena_allocate(arena, sizeof(*made));
    if (!made)
        return NULL;
    Latchkey__V1__Denial *message = &made->message;
    latchkey__v1__denial__init(message);
    message->company_id = format_id(arena, TYPEID_COMPANY, denial->key.company_id);
    message->token_id = format_id(arena, TYPEID_TOKEN, denial->key.token_id);
    message->client_ip = format_address(arena, &denial->key.address);
    message->domain = arena_copy_bytes(arena, bytes_of(denial->key.domain, denial->key.domain_len));
    message->reason = (Latchkey__V1__Reason)denial->key.reason;
    message->first_at = timestamp_fill(&made->first_at, denial->first_at_ms);
    message->last_at = timestamp_fill(&made->last_at, denial->last_at_ms);
    message->count = denial->count;
    return message->company_id && message->token_id && message->client_ip && message->domain ? message : NULL;
}

// The place that the page begins behind; the latest of all for the first one.
static struct denial_place get_start(const struct page *page) {
    struct denial_place start = {.last_at_ms = INT64_MAX};
    if (page->cursor.len > 0)
        memcpy(&start, page->cursor.data, sizeof(start));
    return start;
}

static bool is_asked_for(const struct list_call *call, const struct denial_row *row,
                         const struct denial_place *start) {
    int reason = (int)call->request->reason;
    return (reason == REASON_UNSPECIFIED || row->denial.key.reason == reason) &&
           denial_row_is_behind(row, start);
}

static bool fill(const struct list_call *call, const struct denial_list *list,
                 Latchkey__V1__ListDenialsResponse *response) {
    struct denial_place start = get_start(&call->page);
    const struct denial_row *last = NULL;
    response->denials = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__Denial *, (size_t)call->page.size);
    if (!response->denials)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct denial_row *row = &list->rows[i];
        if (!is_asked_for(call, row, &start))
            continue;
        if (response->n_denials == (size_t)call->page.size) {
            response->next_page_token =
                page_make_token(&call->scope, &call->request->base,
                                bytes_of((const uint8_t *)&last->place, sizeof(last->place)), call->arena);
            return response->next_page_token != NULL;
        }
        last = row;
        if (!(response->denials[response->n_denials++] = make_denial(call->arena, &row->denial)))
            return false;
    }
    return true;
}

// Who may ask about any company sees, with the own, what is of none: the secrets that no token has.
static enum status gather(const struct list_call *call, struct denial_list *ret_list) {
    const struct validate_service *service = call->service;
    const struct uuid companies[] = {call->scope.company_id, {{0}}};
    bool is_default = call->request->company_id[0] == '\0';
    struct denial_log **logs = ARENA_NEW_ARRAY(call->arena, struct denial_log *, service->loop_count);
    if (!logs)
        return STATUS_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < service->loop_count; i++)
        if (service->loops[i].denials)
            logs[count++] = service->loops[i].denials;
    return denial_list_gather(logs, count, companies, is_default && call->sees_any ? 2 : 1, call->arena,
                              ret_list);
}

static void answer(struct list_call *call) {
    Latchkey__V1__ListDenialsResponse response = LATCHKEY__V1__LIST_DENIALS_RESPONSE__INIT;
    struct denial_list list;
    if (gather(call, &list) == STATUS_OK && fill(call, &list, &response)) {
        grpc_call_reply(call->transport, &response.base);
        return;
    }
    fault_set_no_memory(call->fault);
    grpc_call_finish(call->transport, call->fault);
}

// ---- of a company that may not be there ----

static enum status admit(struct list_call *call, struct validate_turn *turn) {
    enum status status =
        validate_turn_begin(call->service, call->transport, VALIDATE_BEARERS, call->fault, turn);
    return status == STATUS_OK ? validate_turn_require(turn, PERMISSION, call->fault) : status;
}

// Anew, as in Explain: explain_rpc.c tells why.
static enum status admit_to_any(struct list_call *call) {
    struct validate_turn turn;
    enum status status = admit(call, &turn);
    return status == STATUS_OK ? validate_turn_require(&turn, PERMISSION_ANY, call->fault) : status;
}

static void on_back(struct loop_task *task) {
    struct list_call *call = CONTAINER_OF(task, struct list_call, task);
    bool is_open = !grpc_call_is_cancelled(call->transport) && call->fault->status == STATUS_OK;
    if (is_open && admit_to_any(call) == STATUS_OK && !call->was_current)
        call->lookups->send_errand(&call->errand);
    else if (call->fault->status == STATUS_OK)
        answer(call);
    else
        grpc_call_finish(call->transport, call->fault);
}

static void on_errand(struct errand *errand, const struct image *image, int64_t now_ms) {
    struct list_call *call = CONTAINER_OF(errand, struct list_call, errand);
    (void)now_ms;
    call->was_current = image != NULL;
    if (image && !image_has_company(image, &call->scope.company_id))
        fault_set(call->fault, STATUS_NOT_FOUND, "NOT_FOUND", "there is no such company");
    loop_post(grpc_call_get_loop(call->transport), &call->task);
}

// ---- the transport's callbacks ----

static enum status prepare(struct list_call *call, struct validate_turn *turn) {
    enum status status = admit(call, turn);
    return status == STATUS_OK ? read(call, turn) : status;
}

static void on_message(struct grpc_call *transport, const ProtobufCMessage *request) {
    const struct lookup_service *service = grpc_call_get_method(transport)->context;
    struct list_call *call = ARENA_NEW(grpc_call_get_arena(transport), struct list_call);
    struct validate_turn turn;
    if (!call) {
        fault_set_no_memory(grpc_call_get_fault(transport));
        grpc_call_finish(transport, grpc_call_get_fault(transport));
        return;
    }
    call->lookups = service;
    call->service = service->validate;
    call->transport = transport;
    call->arena = grpc_call_get_arena(transport);
    call->fault = grpc_call_get_fault(transport);
    call->request = (const Latchkey__V1__ListDenialsRequest *)request;
    call->scope.key = bytes_of(service->validate->page_key, sizeof(service->validate->page_key));
    call->errand.run = on_errand;
    call->task.run = on_back;
    if (prepare(call, &turn) != STATUS_OK)
        grpc_call_finish(transport, call->fault);
    else if (uuid_is_equal(call->scope.company_id, turn.asker.company_id))
        answer(call);
    else
        service->send_errand(&call->errand);
}

// A call that is cancelled ends when its errand is back.
const struct grpc_handler list_denials_handler = {.on_message = on_message};
