#include "services/validator/decide/check_history_rpc.h"

#include "common/grpc/call.h"
#include "services/validator/decide/validate_turn.h"
#include "services/validator/follow/loss_wire_rpc.h"

#define PERMISSION "latchkey.validate.watch"

enum { RETRY_AFTER_MS = 1000 };

// In the call's arena.
struct check_call {
    struct errand errand;
    struct loop_task task;
    const struct history_service *service;
    struct grpc_call *transport;
    struct fault *fault;
    struct loss_told told;
    enum status status; // of the errand
    struct loss_standing standing;
};

// ---- the answer ----

static void answer(struct check_call *call) {
    Latchkey__V1__CheckHistoryResponse response;
    struct arena *arena = grpc_call_get_arena(call->transport);
    if (loss_wire_write_response(&call->standing, arena, &response) == STATUS_OK) {
        grpc_call_reply(call->transport, &response.base);
        return;
    }
    fault_set_no_memory(call->fault);
    grpc_call_finish(call->transport, call->fault);
}

// ---- by the database ----

static void on_back(struct loop_task *task) {
    struct check_call *call = CONTAINER_OF(task, struct check_call, task);
    if (call->status == STATUS_OK) {
        answer(call);
        return;
    }
    fault_set_retry_after_ms(call->fault, RETRY_AFTER_MS);
    fault_set(call->fault, STATUS_UNAVAILABLE, "DATABASE_UNAVAILABLE", "the database can't be asked now");
    grpc_call_finish(call->transport, call->fault);
}

static void on_errand(struct errand *errand, const struct image *image, int64_t now_ms) {
    struct check_call *call = CONTAINER_OF(errand, struct check_call, errand);
    (void)image, (void)now_ms;
    call->status = call->service->tell_loss(&call->told.message, &call->standing);
    loop_post(grpc_call_get_loop(call->transport), &call->task);
}

// Whether what is remembered here says already that all of it is in the history.
static bool is_known(const struct check_call *call, const struct validate_turn *turn) {
    const struct validator *validator = call->service->validate->validator;
    uint64_t now = loop_get_boottime_ns(grpc_call_get_loop(call->transport));
    if (lease_get_state(&validator->lease, now) != LEASE_SERVING)
        return false;
    for (uint8_t lane = 0; lane < LANE_COUNT; lane++) {
        const struct revision position = {lane, call->told.seqs[lane], call->told.marks[lane]};
        if (!lanes_know(image_get_lanes(turn->view.image), turn->view.positions, position))
            return false;
    }
    return true;
}

// ---- the transport's callbacks ----

static enum status prepare(struct check_call *call, const ProtobufCMessage *request,
                           struct validate_turn *ret_turn) {
    enum status status = validate_turn_begin_reporting(call->service->validate, call->transport, PERMISSION,
                                                       call->fault, ret_turn);
    return status == STATUS_OK
               ? loss_wire_read_request((const Latchkey__V1__CheckHistoryRequest *)request,
                                        grpc_call_get_arena(call->transport), call->fault, &call->told)
               : status;
}

static void on_message(struct grpc_call *transport, const ProtobufCMessage *request) {
    struct check_call *call = ARENA_NEW(grpc_call_get_arena(transport), struct check_call);
    struct validate_turn turn;
    if (!call) {
        fault_set_no_memory(grpc_call_get_fault(transport));
        grpc_call_finish(transport, grpc_call_get_fault(transport));
        return;
    }
    call->service = grpc_call_get_method(transport)->context;
    call->transport = transport;
    call->fault = grpc_call_get_fault(transport);
    call->errand.run = on_errand;
    call->task.run = on_back;
    if (prepare(call, request, &turn) != STATUS_OK)
        grpc_call_finish(transport, call->fault);
    else if (is_known(call, &turn))
        answer(call); // zeroed: nothing is lost
    else
        call->service->send_errand(&call->errand);
}

// A call that is cancelled ends when its errand is back.
const struct grpc_handler check_history_handler = {.on_message = on_message};
