#include "services/validator/decide/validate_rpc.h"

#include "common/grpc/call.h"
#include "services/validator/decide/validate_turn.h"
#include "services/validator/decide/validate_wire.h"

enum { OVERLOADED_RETRY_AFTER_MS = 100 };

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

    // Of the present turn.
    struct validate_turn turn;
    struct validate_key key;
};

struct parked_call {
    struct validate_call call;
    struct validate_wait wait;
    uint64_t due_ns;
};

enum outcome { FAILED, ANSWERED, NOT_YET };

// ---- what fails instead of being decided ----

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

static enum status fail_not_served(struct validate_call *call) {
    return validate_turn_fail_not_served(&call->turn, call->fault);
}

static void count_wait(struct validate_call *call, enum validate_wait_end end) {
    if (call->parked)
        validate_count(&call->mine->counters.waits[end], 1);
}

// ---- min_revision ----

static void attempt(struct validate_call *call);

static void on_resume(struct validate_wait *wait) {
    struct parked_call *parked = CONTAINER_OF(wait, struct parked_call, wait);
    validate_count(&parked->call.mine->counters.parked, -1);
    attempt(&parked->call);
}

static struct parked_call *keep(const struct validate_call *call, uint64_t round) {
    struct parked_call *parked = ARENA_NEW(grpc_call_get_arena(call->transport), struct parked_call);
    if (!parked)
        return NULL;
    parked->call = *call;
    parked->call.parked = parked;
    parked->due_ns = validate_service_get_wait_end_ns(call->service, call->transport);
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
    case VALIDATE_NOT_SERVED: return fail_not_served(call), FAILED;
    case VALIDATE_OF_ANOTHER_HISTORY: break;
    }
    count_wait(call, VALIDATE_WAIT_UNKNOWN);
    fail_unknown_revision(call);
    return FAILED;
}

// ---- the decision ----
//
// In three steps, each of which asks the memory for what the next one reads: of the calls that came together
// all take a step before one takes the next.

// False, and finished: it is not decided.
static bool begin(struct validate_call *call, struct validate_keys *keys) {
    enum status status =
        validate_turn_begin(call->service, call->transport, VALIDATE_ANYBODY, call->fault, &call->turn);
    if (status == STATUS_OK) {
        validate_keys_add(keys, &call->turn.view, call->question.token, &call->key);
        return true;
    }
    if (status == STATUS_UNAVAILABLE)
        count_wait(call, VALIDATE_WAIT_NOT_CURRENT);
    grpc_call_finish(call->transport, call->fault);
    return false;
}

static void advance(struct validate_call *call) {
    validate_key_advance(&call->turn.view, &call->key);
}

static enum outcome answer(struct validate_call *call, struct bytes *ret_response) {
    struct arena *arena = grpc_call_get_arena(call->transport);
    struct validate_answer answer;
    *ret_response = BYTES_EMPTY;
    validate_note_asker(&call->turn);
    enum status status = validate_turn_decide(&call->turn, &call->question, &call->key, arena, &answer);
    if (status == STATUS_OK && answer.reason == REASON_NOT_CURRENT)
        return fail_not_served(call), FAILED;
    if (status == STATUS_OK)
        *ret_response = validate_wire_write(&answer, GRPC_CALL_HEADROOM, arena);
    if (ret_response->data)
        return ANSWERED;
    fault_set_no_memory(call->fault);
    return FAILED;
}

static void end(struct validate_call *call) {
    struct bytes response;
    enum outcome outcome = check_revision(call, &call->turn.view);
    if (outcome == ANSWERED)
        outcome = answer(call, &response);
    switch (outcome) {
    case FAILED: grpc_call_finish(call->transport, call->fault); return;
    case ANSWERED: grpc_call_reply_framed(call->transport, response); return;
    case NOT_YET: return;
    }
}

static void attempt(struct validate_call *call) {
    struct validate_keys keys = {0};
    if (!begin(call, &keys))
        return;
    validate_keys_end(&keys);
    advance(call);
    end(call);
}

// ---- the transport's callbacks ----

static enum status read(struct validate_call *call, struct bytes request) {
    enum status status = validate_wire_read(request, grpc_call_get_arena(call->transport), &call->question);
    if (status == STATUS_MALFORMED)
        return validate_fail_malformed(call->transport, request, call->fault);
    if (status != STATUS_OK)
        return fault_set_no_memory(call->fault);
    return validate_question_check(&call->question, call->fault, &call->has_revision, &call->revision);
}

// False, and finished: there is nothing to decide.
static bool take(struct validate_call *call, struct grpc_call *transport) {
    const struct validate_service *service = grpc_call_get_method(transport)->context;
    call->service = service;
    call->mine = &service->loops[loop_get_index(grpc_call_get_loop(transport))];
    call->transport = transport;
    call->fault = grpc_call_get_fault(transport);
    call->parked = NULL;
    if (read(call, grpc_call_get_request(transport)) == STATUS_OK)
        return true;
    grpc_call_finish(transport, call->fault);
    return false;
}

static void on_requests(struct grpc_call *const *transports, size_t count) {
    struct validate_call calls[GRPC_CALLS_TOGETHER_MAX];
    struct validate_keys keys = {0};
    size_t begun = 0;
    for (size_t i = 0; i < count; i++)
        begun += take(&calls[begun], transports[i]) && begin(&calls[begun], &keys);
    validate_keys_end(&keys);
    for (size_t i = 0; i < begun; i++)
        advance(&calls[i]);
    for (size_t i = 0; i < begun; i++)
        end(&calls[i]);
}

// Only a parked call is there to be cancelled: every other is answered at once.
static void on_cancel(struct grpc_call *transport) {
    struct parked_call *parked = grpc_call_get_data(transport);
    validate_waits_leave(&parked->wait);
    validate_count(&parked->call.mine->counters.parked, -1);
    count_wait(&parked->call, VALIDATE_WAIT_CANCELLED);
    grpc_call_finish(transport, NULL);
}

const struct grpc_handler validate_handler = {.on_requests = on_requests, .on_cancel = on_cancel};
