#include "services/validator/validate_rpc.h"

#include "common/app/bearer.h"
#include "common/app/client_address.h"
#include "common/grpc/call.h"
#include "common/protobuf/scan.h"
#include "services/validator/validate_wire.h"

enum { RETRY_AFTER_MS = 1000, OVERLOADED_RETRY_AFTER_MS = 100 };

// A wait ends this part of what is left before the call's own deadline, so that the caller still hears the
// reason.
enum { DEADLINE_MARGIN_PART = 8 };

// One call: on the stack, and only one that has to wait is copied into its arena.
struct validate_call {
    const struct validate_service *service;
    struct validate_loop *mine; // of the call's loop
    struct grpc_call *transport;
    struct fault *fault;
    bool has_revision;
    struct revision revision;   // min_revision
    struct parked_call *parked; // what it is a part of; NULL until it has to wait
    struct validate_question question;
};

struct parked_call {
    struct validate_call call;
    struct validate_wait wait;
    uint64_t due_ns;
};

enum outcome { FAILED, ANSWERED, NOT_YET };

// ---- what fails instead of being decided ----

static enum status fail_not_current(struct validate_call *call, enum lease_state state) {
    struct fault *fault = call->fault;
    validate_count(&call->mine->counters.not_current[state], 1);
    fault_set_retry_after_ms(fault, RETRY_AFTER_MS);
    switch (state) {
    case LEASE_STALE:
        return fault_set(fault, STATUS_UNAVAILABLE, "STALE",
                         "this validator has not heard from the database for too long to decide");
    case LEASE_HISTORY_LOST:
        return fault_set(
            fault, STATUS_UNAVAILABLE, "HISTORY_LOST",
            "the database has lost changes that this validator knows of; an operator has to decide");
    default: return fault_set(fault, STATUS_UNAVAILABLE, "LOADING", "this validator is still loading");
    }
}

static enum status fail_unknown_revision(struct validate_call *call) {
    return fault_set(call->fault, STATUS_FAILED_PRECONDITION, "REVISION_UNKNOWN",
                     "min_revision is not of this database's history: read again, and use what that returns");
}

static enum status fail_not_reached(struct validate_call *call) {
    fault_set_retry_after_ms(call->fault, OVERLOADED_RETRY_AFTER_MS);
    return fault_set(call->fault, STATUS_UNAVAILABLE, "REVISION_NOT_REACHED",
                     "this validator has not applied min_revision yet");
}

static enum status fail_overloaded(struct validate_call *call) {
    fault_set_retry_after_ms(call->fault, OVERLOADED_RETRY_AFTER_MS);
    return fault_set(call->fault, STATUS_UNAVAILABLE, "OVERLOADED",
                     "too many calls wait for their min_revision already");
}

static void count_wait(struct validate_call *call, enum validate_wait_end end) {
    if (call->parked)
        validate_count(&call->mine->counters.waits[end], 1);
}

// ---- min_revision ----

static uint64_t choose_due_ns(const struct validate_call *call, uint64_t now_ns) {
    uint64_t due_ns = now_ns + (uint64_t)call->service->min_revision_wait_ms * 1000000;
    uint64_t deadline_ns = grpc_call_get_deadline_ns(call->transport);
    if (deadline_ns == UINT64_MAX || deadline_ns <= now_ns)
        return due_ns;
    uint64_t last_ns = deadline_ns - (deadline_ns - now_ns) / DEADLINE_MARGIN_PART;
    return due_ns < last_ns ? due_ns : last_ns;
}

static void attempt(struct validate_call *call);

static void on_resume(struct validate_wait *wait) {
    struct parked_call *parked = CONTAINER_OF(wait, struct parked_call, wait);
    validate_count(&parked->call.mine->counters.parked, -1);
    attempt(&parked->call);
}

static struct parked_call *keep(const struct validate_call *call, uint64_t round) {
    struct loop *loop = grpc_call_get_loop(call->transport);
    struct parked_call *parked = ARENA_NEW(grpc_call_get_arena(call->transport), struct parked_call);
    if (!parked)
        return NULL;
    parked->call = *call;
    parked->call.parked = parked;
    parked->due_ns = choose_due_ns(call, loop_get_monotonic_ns(loop));
    parked->wait.revision = call->revision;
    parked->wait.came_at_round = round;
    parked->wait.resume = on_resume;
    grpc_call_set_data(call->transport, parked);
    return parked;
}

// OK: parked, until on_resume().
static enum status park(struct validate_call *call, uint64_t round) {
    struct parked_call *parked = call->parked ? call->parked : keep(call, round);
    if (!parked)
        return fault_set_no_memory(call->fault);
    call = &parked->call;
    if (parked->wait.is_over)
        return count_wait(call, VALIDATE_WAIT_NOT_REACHED), fail_not_reached(call);
    if (validate_waits_park(&call->mine->waits, &parked->wait, parked->due_ns) != STATUS_OK)
        return count_wait(call, VALIDATE_WAIT_OVERLOADED), fail_overloaded(call);
    validate_count(&call->mine->counters.parked, 1);
    return STATUS_OK;
}

// ANSWERED: reached.
static enum outcome check_revision(struct validate_call *call, const struct validate_view *view) {
    const struct positions *positions = view->positions;
    if (!call->has_revision)
        return ANSWERED;
    uint64_t came_at_round = call->parked ? call->parked->wait.came_at_round : positions->round;
    switch (validate_judge_revision(image_get_lanes(view->image), positions, call->revision, came_at_round)) {
    case VALIDATE_REACHED: count_wait(call, VALIDATE_WAIT_REACHED); return ANSWERED;
    case VALIDATE_NOT_YET: return park(call, positions->round) == STATUS_OK ? NOT_YET : FAILED;
    case VALIDATE_OF_ANOTHER_HISTORY: break;
    }
    count_wait(call, VALIDATE_WAIT_UNKNOWN);
    fail_unknown_revision(call);
    return FAILED;
}

// ---- the decision ----

static enum status check_lease(struct validate_call *call, struct loop *loop, const struct image *image) {
    enum lease_state state = lease_get_state(&call->service->validator->lease, loop_get_boottime_ns(loop));
    if (state == LEASE_SERVING && image)
        return STATUS_OK;
    count_wait(call, VALIDATE_WAIT_NOT_CURRENT);
    return fail_not_current(call, state == LEASE_SERVING ? LEASE_LOADING : state);
}

static enum status identify(struct validate_call *call, const struct validate_view *view,
                            struct validate_asker *ret_asker) {
    const struct grpc_call *transport = call->transport;
    const struct ip_set *trusted = call->service->trusted_proxies;
    // A proxy on this machine speaks for others, who are not on it; so with the certificate of a proxy.
    bool is_of_peer = client_address_is_of_peer(trusted, transport);
    struct tls_identity *identity = is_of_peer ? grpc_call_get_identity(transport) : NULL;
    const struct validate_presence presence = {.secret = bearer_find_secret(transport),
                                               .address = client_address_find_of_call(trusted, transport),
                                               .is_local = is_of_peer && grpc_call_is_peer_local(transport),
                                               .client_rights = client_rights_get(identity),
                                               .folds_reasons = view->folds_reasons};
    enum status status =
        validate_asker_identify(view->image, view->shape, view->now_ms, &presence, call->fault, ret_asker);
    if (status != STATUS_OK)
        validate_count(&call->mine->counters.refused_askers, 1);
    return status;
}

// Of the token asked about, and of the asker's own: who asks all day is not unused.
static void note_uses(struct validate_call *call, const struct validate_view *view,
                      const struct validate_asker *asker, struct use *use) {
    struct use_loop *uses = call->mine->uses;
    if (asker->has_bearer) {
        const struct use own = {.digest = asker->digest,
                                .at_ms = view->now_ms,
                                .address = asker->address,
                                .kind = USE_ADMITTED,
                                .by = use_log_get_by(uses, asker->token_id)};
        use_log_note(uses, &own);
    }
    if (use->kind == USE_NONE)
        return;
    use->by = asker->has_bearer ? use_log_get_by(uses, asker->token_id) : USE_BY_LOCAL;
    use_log_note(uses, use);
}

static void record(struct validate_call *call, const struct validate_view *view,
                   const struct validate_asker *asker, struct validate_answer *answer) {
    validate_count(&call->mine->counters.decisions[answer->reason], 1);
    note_uses(call, view, asker, &answer->use);
}

static enum outcome answer(struct validate_call *call, const struct validate_view *view,
                           const struct validate_asker *asker, struct bytes *ret_response) {
    struct arena *arena = grpc_call_get_arena(call->transport);
    struct validate_answer answer;
    *ret_response = BYTES_EMPTY;
    if (validate_decide(view, asker, &call->question, arena, &answer) == STATUS_OK)
        *ret_response = validate_wire_write(&answer, GRPC_CALL_HEADROOM, arena);
    if (!ret_response->data) {
        fault_set_no_memory(call->fault);
        return FAILED;
    }
    record(call, view, asker, &answer);
    return ANSWERED;
}

// What is known now, and who asks.
static enum status look(struct validate_call *call, struct validate_view *ret_view,
                        struct validate_asker *ret_asker) {
    const struct validator *validator = call->service->validator;
    struct loop *loop = grpc_call_get_loop(call->transport);
    *ret_view = (struct validate_view){.image = validator_get_image(validator),
                                       .shape = &call->service->shape,
                                       .now_ms = validator_get_time_ms(validator, loop_get_boottime_ns(loop)),
                                       .folds_reasons = call->service->folds_reasons};
    enum status status = check_lease(call, loop, ret_view->image);
    if (status != STATUS_OK)
        return status;
    ret_view->positions = lanes_get_positions(image_get_lanes(ret_view->image));
    return identify(call, ret_view, ret_asker);
}

static enum outcome decide(struct validate_call *call, struct bytes *ret_response) {
    struct validate_view view;
    struct validate_asker asker;
    if (look(call, &view, &asker) != STATUS_OK)
        return FAILED;
    enum outcome outcome = check_revision(call, &view);
    return outcome == ANSWERED ? answer(call, &view, &asker, ret_response) : outcome;
}

static void attempt(struct validate_call *call) {
    struct bytes response;
    reading_begin(&call->mine->reading);
    switch (decide(call, &response)) {
    case FAILED: grpc_call_finish(call->transport, call->fault); return;
    case ANSWERED: grpc_call_reply_framed(call->transport, response); return;
    case NOT_YET: return;
    }
}

// ---- the transport's callbacks ----

// In the words of the general way, which every other method has.
static enum status fail_malformed(struct validate_call *call, struct bytes request) {
    const ProtobufCMessageDescriptor *descriptor = grpc_call_get_method(call->transport)->request;
    return fault_set(call->fault, STATUS_MALFORMED, "MESSAGE_MALFORMED", "%s",
                     scan_result_get_text(scan_message(descriptor, request)));
}

static enum status read(struct validate_call *call, struct bytes request) {
    enum status status = validate_wire_read(request, grpc_call_get_arena(call->transport), &call->question);
    if (status == STATUS_MALFORMED)
        return fail_malformed(call, request);
    if (status != STATUS_OK)
        return fault_set_no_memory(call->fault);
    return validate_question_check(&call->question, call->fault, &call->has_revision, &call->revision);
}

// All but the question.
static void begin(const struct validate_service *service, struct grpc_call *transport,
                  struct validate_call *call) {
    call->service = service;
    call->mine = &service->loops[loop_get_index(grpc_call_get_loop(transport))];
    call->transport = transport;
    call->fault = grpc_call_get_fault(transport);
    call->parked = NULL;
}

static void on_bytes(struct grpc_call *transport, struct bytes request) {
    struct validate_call call;
    begin(grpc_call_get_method(transport)->context, transport, &call);
    if (read(&call, request) == STATUS_OK)
        attempt(&call);
    else
        grpc_call_finish(transport, call.fault);
}

// Only a parked call is there to be cancelled: every other is answered at once.
static void on_cancel(struct grpc_call *transport) {
    struct parked_call *parked = grpc_call_get_data(transport);
    validate_waits_leave(&parked->wait);
    validate_count(&parked->call.mine->counters.parked, -1);
    count_wait(&parked->call, VALIDATE_WAIT_CANCELLED);
    grpc_call_finish(transport, NULL);
}

enum status validate_answer_now(const struct validate_service *service, struct grpc_call *transport,
                                const struct validate_question *question,
                                struct validate_answer *ret_answer) {
    struct validate_call call;
    struct validate_view view;
    struct validate_asker asker;
    begin(service, transport, &call);
    call.question = *question;
    enum status status =
        validate_question_check(&call.question, call.fault, &call.has_revision, &call.revision);
    if (status != STATUS_OK)
        return status;
    reading_begin(&call.mine->reading);
    if ((status = look(&call, &view, &asker)) != STATUS_OK)
        return status;
    if (validate_decide(&view, &asker, question, grpc_call_get_arena(transport), ret_answer) != STATUS_OK)
        return fault_set_no_memory(call.fault);
    record(&call, &view, &asker, ret_answer);
    return STATUS_OK;
}

const struct grpc_handler validate_handler = {.on_bytes = on_bytes, .on_cancel = on_cancel};

void validate_loop_enter(struct validate_loop *mine, struct loop *loop) {
    reading_enter_loop(&mine->reading, loop);
    validate_waits_enter_loop(&mine->waits, loop);
}

void validate_loop_leave(struct validate_loop *mine) {
    validate_waits_leave_loop(&mine->waits);
    reading_leave_loop(&mine->reading);
}
