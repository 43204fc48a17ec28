#include "services/validator/decide/validate_batch_rpc.h"

#include "services/validator/decide/validate_item.h"
#include "services/validator/decide/validate_item_wire.h"

enum { ANSWER_BYTES_USUAL = 192 };

// In the call's arena.
struct batch {
    struct backlog_job job;
    struct validate_wait wait;
    const struct validate_service *service;
    struct validate_loop *mine;
    struct grpc_call *transport;
    struct bytes request;
    struct bytes rest; // that is still to be decided
    size_t questions;
    struct buffer answers;  // behind GRPC_CALL_HEADROOM bytes
    uint64_t due_ns;        // no wait lasts longer
    uint64_t came_at_round; // of the positions when it was first looked at; 0 = not yet
};

struct portion {
    struct validate_item items[BACKLOG_PORTION];
    struct bytes from[BACKLOG_PORTION]; // what was left of the request when the item was taken
    size_t count;
};

// ---- its end ----

static void end(struct batch *batch) {
    grpc_call_reply_buffer(batch->transport, &batch->answers);
}

static void fail(struct batch *batch) {
    buffer_fini(&batch->answers);
    grpc_call_finish(batch->transport, grpc_call_get_fault(batch->transport));
}

// ---- a portion ----

// why room for all: what grows is copied, and larger ones come from the system page by page.
static bool begin_answers(struct batch *batch) {
    if (batch->answers.len > 0)
        return true;
    if (!buffer_reserve(&batch->answers, GRPC_CALL_HEADROOM + batch->questions * ANSWER_BYTES_USUAL))
        return false;
    buffer_advance(&batch->answers, GRPC_CALL_HEADROOM);
    return true;
}

static enum status fill(struct batch *batch, struct portion *portion) {
    struct bytes rest = batch->rest, message;
    portion->count = 0;
    portion->from[0] = rest;
    while (portion->count < BACKLOG_PORTION && validate_batch_wire_next(&rest, &message)) {
        enum status status =
            validate_item_read(message, &batch->mine->scratch, &portion->items[portion->count]);
        if (status != STATUS_OK)
            return status;
        if (++portion->count < BACKLOG_PORTION)
            portion->from[portion->count] = rest;
    }
    batch->rest = rest;
    return STATUS_OK;
}

static void on_resume(struct validate_wait *wait) {
    struct batch *batch = CONTAINER_OF(wait, struct batch, wait);
    validate_count_unparked(&batch->mine->counters,
                            wait->is_over ? VALIDATE_WAIT_NOT_REACHED : VALIDATE_WAIT_REACHED);
    backlog_add(&batch->mine->backlog, &batch->job);
}

// Whether it waits now. Where too many wait already it goes on without.
static bool park(struct batch *batch, const struct validate_item *item) {
    if (batch->wait.is_over)
        return false;
    batch->wait.revision = item->revision;
    batch->wait.came_at_round = batch->came_at_round;
    if (validate_waits_park(&batch->mine->waits, &batch->wait, batch->due_ns) == STATUS_OK) {
        validate_count(&batch->mine->counters.parked, 1);
        return true;
    }
    validate_count(&batch->mine->counters.waits[VALIDATE_WAIT_OVERLOADED], 1);
    batch->wait.is_over = true;
    return false;
}

// `*ret_waits`: the item is still to be decided.
static enum status answer(struct batch *batch, const struct validate_turn *turn,
                          const struct validate_item *item, bool *ret_waits) {
    struct validate_answer answer;
    enum validate_standing standing = validate_item_judge(&turn->view, item, batch->came_at_round);
    *ret_waits = standing == VALIDATE_NOT_YET && park(batch, item);
    if (*ret_waits)
        return STATUS_OK;
    if (standing != VALIDATE_REACHED)
        validate_item_give_up(turn, item, &answer);
    else if (validate_item_decide(turn, item, &batch->mine->scratch, &answer) != STATUS_OK)
        return STATUS_NO_MEMORY;
    validate_batch_wire_append(&batch->answers, &answer);
    if (batch->answers.failed)
        return STATUS_NO_MEMORY;
    if (batch->answers.len > GRPC_CALL_HEADROOM + VALIDATE_BATCH_ANSWER_MAX)
        return STATUS_TOO_LARGE;
    return grpc_call_hold_memory(batch->transport, batch->answers.capacity);
}

static enum status answer_all(struct batch *batch, const struct validate_turn *turn, struct portion *portion,
                              bool *ret_waits) {
    enum status status = begin_answers(batch) ? STATUS_OK : STATUS_NO_MEMORY;
    *ret_waits = false;
    validate_items_look_up(&turn->view, portion->items, portion->count);
    for (size_t i = 0; i < portion->count && status == STATUS_OK && !*ret_waits; i++) {
        status = answer(batch, turn, &portion->items[i], ret_waits);
        if (*ret_waits)
            batch->rest = portion->from[i];
    }
    return status;
}

static enum status decide(struct batch *batch, struct portion *portion, bool *ret_waits) {
    struct fault *fault = grpc_call_get_fault(batch->transport);
    struct validate_turn turn;
    enum status status =
        validate_turn_begin(batch->service, batch->transport, VALIDATE_ANYBODY, fault, &turn);
    if (status != STATUS_OK)
        return status;
    if (batch->came_at_round == 0)
        batch->came_at_round = turn.view.positions->round;
    validate_note_asker(&turn);
    status = fill(batch, portion);
    if (status == STATUS_MALFORMED)
        return validate_fail_malformed(batch->transport, batch->request, fault);
    if (status == STATUS_OK)
        status = answer_all(batch, &turn, portion, ret_waits);
    if (status == STATUS_TOO_LARGE)
        return fault_set(fault, status, "ANSWER_TOO_LARGE",
                         "the answers take more than %d MiB: ask fewer questions at once",
                         VALIDATE_BATCH_ANSWER_MAX >> 20);
    return status == STATUS_OK ? STATUS_OK : fault_set_no_memory(fault);
}

static size_t run(struct backlog_job *job) {
    struct batch *batch = CONTAINER_OF(job, struct batch, job);
    struct arena *scratch = &batch->mine->scratch;
    struct portion portion;
    portion.count = 0; // why not all of it: the rest is written as it is filled
    bool waits = false;
    enum status status = decide(batch, &portion, &waits);
    arena_reset(scratch);
    if (status != STATUS_OK)
        fail(batch);
    else if (!waits && batch->rest.len == 0)
        end(batch);
    else if (!waits)
        backlog_add(&batch->mine->backlog, job);
    return portion.count;
}

// ---- the transport's callbacks ----

static enum status count(struct grpc_call *transport, struct bytes request, size_t *ret_questions) {
    struct fault *fault = grpc_call_get_fault(transport);
    if (validate_batch_wire_count(request, ret_questions) != STATUS_OK)
        return validate_fail_malformed(transport, request, fault);
    if (*ret_questions == 0 || *ret_questions > VALIDATE_BATCH_MAX)
        fault_add_field(fault, "requests", "ask 1 to %d questions at once", VALIDATE_BATCH_MAX);
    return fault->status;
}

static void on_bytes(struct grpc_call *transport, struct bytes request) {
    const struct validate_service *service = grpc_call_get_method(transport)->context;
    struct batch *batch = ARENA_NEW(grpc_call_get_arena(transport), struct batch);
    struct fault *fault = grpc_call_get_fault(transport);
    enum status status = batch ? count(transport, request, &batch->questions) : fault_set_no_memory(fault);
    if (status != STATUS_OK) {
        grpc_call_finish(transport, fault);
        return;
    }
    batch->job.run = run;
    batch->job.connection = grpc_call_get_connection(transport);
    batch->wait.resume = on_resume;
    batch->service = service;
    batch->mine = &service->loops[loop_get_index(grpc_call_get_loop(transport))];
    batch->transport = transport;
    batch->request = batch->rest = request;
    batch->due_ns = validate_service_get_wait_end_ns(service, transport);
    grpc_call_set_data(transport, batch);
    backlog_add(&batch->mine->backlog, &batch->job);
}

static void on_cancel(struct grpc_call *transport) {
    struct batch *batch = grpc_call_get_data(transport);
    if (batch->wait.link)
        validate_count_unparked(&batch->mine->counters, VALIDATE_WAIT_CANCELLED);
    validate_waits_leave(&batch->wait);
    backlog_remove(&batch->mine->backlog, &batch->job);
    fail(batch);
}

const struct grpc_handler validate_batch_handler = {.on_bytes = on_bytes, .on_cancel = on_cancel};
