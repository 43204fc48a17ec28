#include "services/validator/decide/explain_rpc.h"

#include "common/base/typeid.h"
#include "common/grpc/call.h"
#include "common/protobuf/message.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_explain.h"
#include "services/validator/decide/validate_turn.h"
#include "services/validator/decide/validate_wire.h"

#define PERMISSION "latchkey.validate.explain"

// In the call's arena.
struct explain_call {
    struct errand errand;
    struct loop_task task;
    const struct lookup_service *service;
    struct grpc_call *transport;
    struct arena *arena;
    struct fault *fault;
    struct validate_turn turn;
    struct validate_question question;
    bool has_revision;
    struct revision revision;
    struct uuid token_id; // zero = the question has a secret
    const ProtobufCMessage *response;
};

// ---- the question ----

static const struct bytes *copy_names(struct arena *arena, char *const *names, size_t count) {
    struct bytes *copy = ARENA_NEW_ARRAY(arena, struct bytes, count + 1);
    for (size_t i = 0; copy && i < count; i++)
        copy[i] = bytes_of_text(names[i]);
    return copy;
}

static enum status read_question(struct explain_call *call, const Latchkey__V1__ValidateRequest *request) {
    call->question = (struct validate_question){
        .token = bytes_of_text(request->token),
        .client_ip = bytes_of_text(request->client_ip),
        .domain = bytes_of_text(request->domain),
        .min_revision = bytes_of_text(request->min_revision),
        .channel = (int32_t)request->channel,
        .permissions = copy_names(call->arena, request->permissions, request->n_permissions),
        .permission_count = request->n_permissions,
        .any_permissions = copy_names(call->arena, request->any_permissions, request->n_any_permissions),
        .any_permission_count = request->n_any_permissions};
    if (!call->question.permissions || !call->question.any_permissions)
        return fault_set_no_memory(call->fault);
    return validate_question_check(&call->question, call->fault, &call->has_revision, &call->revision);
}

static enum status read(struct explain_call *call, const Latchkey__V1__ExplainRequest *request) {
    static const Latchkey__V1__ValidateRequest nothing = LATCHKEY__V1__VALIDATE_REQUEST__INIT;
    struct bytes id = bytes_of_text(request->token_id);
    enum status status = read_question(call, request->request ? request->request : &nothing);
    if (status == STATUS_NO_MEMORY)
        return status;
    if ((id.len > 0) == (call->question.token.len > 0))
        fault_add_field(call->fault, "token_id", "send either this or the token's secret in request.token");
    else if (id.len > 0 && !typeid_parse(id, TYPEID_TOKEN, &call->token_id))
        fault_add_field(call->fault, "token_id",
                        "send the id of a token, such as tok_01h455vb4pex5vsknk084sn02q");
    return call->fault->status;
}

static enum status check_revision(struct explain_call *call) {
    const struct validate_view *view = &call->turn.view;
    if (!call->has_revision)
        return STATUS_OK;
    switch (lanes_compare(image_get_lanes(view->image), view->positions, call->revision)) {
    case LANES_REACHED: return STATUS_OK;
    case LANES_AHEAD:
        return fault_set(call->fault, STATUS_UNAVAILABLE, "REVISION_NOT_REACHED",
                         "this validator has not applied min_revision yet");
    case LANES_NOT_SERVED: return validate_turn_fail_not_served(&call->turn, call->fault);
    case LANES_FOREIGN: break;
    }
    return fault_set(call->fault, STATUS_FAILED_PRECONDITION, "REVISION_UNKNOWN",
                     "min_revision is not of this database's history: read again, and use what that returns");
}

// ---- the answer: nothing in it borrows from the image ----

static Latchkey__V1__ListedEntry *make_entry(struct arena *arena, const struct access_listed_entry *entry) {
    Latchkey__V1__ListedEntry *made = arena_allocate(arena, sizeof(*made));
    char cidr[IP_PREFIX_TEXT_MAX + 1] = "";
    if (!made)
        return NULL;
    latchkey__v1__listed_entry__init(made);
    if (entry->list != LIST_KIND_DOMAIN)
        ip_prefix_format(&entry->entry.prefix, cidr);
    made->list = (Latchkey__V1__ListKind)entry->list;
    made->cidr = arena_copy_text(arena, cidr);
    made->domain = arena_copy_bytes(arena, entry->domain);
    made->common_bits = entry->common_bits;
    return made->cidr && made->domain ? made : NULL;
}

static bool put_entry(struct arena *arena, const struct access_listed_entry *entry,
                      Latchkey__V1__ListedEntry **ret_made) {
    *ret_made = entry->list == LIST_KIND_NONE ? NULL : make_entry(arena, entry);
    return entry->list == LIST_KIND_NONE || *ret_made;
}

static bool add_step(struct arena *arena, enum reason check, bool passed, const char *detail,
                     Latchkey__V1__ExplainResponse *response) {
    Latchkey__V1__ExplainStep *step = arena_allocate(arena, sizeof(*step));
    if (!step)
        return false;
    latchkey__v1__explain_step__init(step);
    step->check = (Latchkey__V1__Reason)check;
    step->passed = passed;
    step->detail = (char *)detail;
    response->steps[response->n_steps++] = step;
    return true;
}

static bool add_steps(const struct explain_call *call, const struct validate_explanation *explanation,
                      Latchkey__V1__ExplainResponse *response) {
    bool is_by_id = !uuid_is_zero(call->token_id);
    const char *shape = is_by_id                 ? "no secret was presented: the token is named by its id"
                        : explanation->has_shape ? "the text has the form of a secret"
                                                 : "the text does not have the form of a secret";
    response->steps = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__ExplainStep *, ACCESS_STEPS_MAX + 1);
    if (!response->steps || !add_step(call->arena, REASON_MALFORMED, explanation->has_shape, shape, response))
        return false;
    for (size_t i = 0; explanation->has_shape && i < explanation->access.step_count; i++) {
        const struct access_step *step = &explanation->access.steps[i];
        if (!add_step(call->arena, step->check, step->passed, step->detail, response))
            return false;
    }
    return true;
}

// As Validate writes it.
static Latchkey__V1__ValidateResponse *make_decision(struct arena *arena,
                                                     const struct validate_answer *answer) {
    struct bytes written = validate_wire_write(answer, 0, arena);
    ProtobufCMessage *message;
    const char *text;
    if (!written.data || message_unpack(&latchkey__v1__validate_response__descriptor, written, arena,
                                        &message, &text) != STATUS_OK)
        return NULL;
    return (Latchkey__V1__ValidateResponse *)message;
}

static enum status tell(struct explain_call *call, const struct validate_explanation *explanation) {
    Latchkey__V1__ExplainResponse *response = arena_allocate(call->arena, sizeof(*response));
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__explain_response__init(response);
    response->response = make_decision(call->arena, &explanation->answer);
    if (!response->response || !add_steps(call, explanation, response) ||
        !put_entry(call->arena, &explanation->access.matched, &response->matched_entry) ||
        !put_entry(call->arena, &explanation->access.nearest_miss, &response->nearest_miss))
        return fault_set_no_memory(call->fault);
    call->response = &response->base;
    return STATUS_OK;
}

// By id, of a token that there is.
static enum status explain_token(struct explain_call *call, const struct validate_subject *subject) {
    struct validate_explanation explanation = {0};
    if (validate_explain_subject(&call->turn.view, &call->turn.asker, &call->question, subject, call->arena,
                                 &explanation) != STATUS_OK)
        return fault_set_no_memory(call->fault);
    return tell(call, &explanation);
}

static enum status explain_secret(struct explain_call *call) {
    struct validate_explanation explanation = {0};
    if (validate_explain(&call->turn.view, &call->turn.asker, &call->question, call->arena, &explanation) !=
        STATUS_OK)
        return fault_set_no_memory(call->fault);
    if (explanation.answer.reason == REASON_NOT_CURRENT)
        return validate_turn_fail_not_served(&call->turn, call->fault);
    return tell(call, &explanation);
}

static void end(struct explain_call *call) {
    if (call->response && call->fault->status == STATUS_OK)
        grpc_call_reply(call->transport, call->response);
    else
        grpc_call_finish(call->transport, call->fault);
}

// ---- by a token's id ----

static enum status admit(struct explain_call *call) {
    enum status status = validate_turn_begin(call->service->validate, call->transport, VALIDATE_BEARERS,
                                             call->fault, &call->turn);
    return status == STATUS_OK ? validate_turn_require(&call->turn, PERMISSION, call->fault) : status;
}

// why the asker is looked at anew: an errand waits for as long as the database does. Nobody is asked for a
// call that was cancelled: its loop may read no more.
static void on_back(struct loop_task *task) {
    struct explain_call *call = CONTAINER_OF(task, struct explain_call, task);
    bool is_open = !grpc_call_is_cancelled(call->transport) && call->fault->status == STATUS_OK;
    if (is_open && admit(call) == STATUS_OK && !call->response)
        call->service->send_errand(&call->errand); // it was not current then, and is now
    else
        end(call);
}

static enum status explain_by_id(struct explain_call *call, const struct image *image, int64_t now_ms) {
    struct validate_subject subject;
    const struct token_record *record = image_find_token_by_id(image, &call->token_id);
    validate_subject_take(image, record, record != NULL, &subject);
    if (!subject.company || !uuid_is_equal(subject.company->company_id, call->turn.asker.company_id))
        return fault_set(call->fault, STATUS_NOT_FOUND, "NOT_FOUND", "this company has no such token");
    call->turn.view.image = image; // maybe another one by now
    call->turn.view.positions = lanes_get_positions(image_get_lanes(image));
    call->turn.view.now_ms = now_ms;
    return explain_token(call, &subject);
}

static void on_errand(struct errand *errand, const struct image *image, int64_t now_ms) {
    struct explain_call *call = CONTAINER_OF(errand, struct explain_call, errand);
    if (image)
        (void)!explain_by_id(call, image, now_ms); // the fault tells
    loop_post(grpc_call_get_loop(call->transport), &call->task);
}

// ---- the transport's callbacks ----

static enum status prepare(struct explain_call *call, const ProtobufCMessage *request) {
    enum status status = admit(call);
    if (status == STATUS_OK)
        status = read(call, (const Latchkey__V1__ExplainRequest *)request);
    return status == STATUS_OK ? check_revision(call) : status;
}

static void on_message(struct grpc_call *transport, const ProtobufCMessage *request) {
    const struct lookup_service *service = grpc_call_get_method(transport)->context;
    struct explain_call *call = ARENA_NEW(grpc_call_get_arena(transport), struct explain_call);
    if (!call) {
        fault_set_no_memory(grpc_call_get_fault(transport));
        grpc_call_finish(transport, grpc_call_get_fault(transport));
        return;
    }
    call->service = service;
    call->transport = transport;
    call->arena = grpc_call_get_arena(transport);
    call->fault = grpc_call_get_fault(transport);
    call->errand.run = on_errand;
    call->task.run = on_back;
    enum status status = prepare(call, request);
    if (status == STATUS_OK && !uuid_is_zero(call->token_id)) {
        service->send_errand(&call->errand);
        return;
    }
    if (status == STATUS_OK)
        (void)!explain_secret(call);
    end(call);
}

// A call that is cancelled ends when its errand is back.
const struct grpc_handler explain_handler = {.on_message = on_message};
