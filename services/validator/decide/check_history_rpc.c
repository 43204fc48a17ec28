#include "services/validator/decide/check_history_rpc.h"

#include <string.h>

#include "common/grpc/call.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_turn.h"

#define PERMISSION "latchkey.validate.watch"

enum {
    INSTANCE_BYTES_MAX = 255,
    WHAT_BYTES_MAX = 64,
    KNOWN_MAX = 8192,
    CLAIMS_MAX = 2000,
    RETRY_AFTER_MS = 1000
};

// In the call's arena.
struct check_call {
    struct errand errand;
    struct loop_task task;
    const struct history_service *service;
    struct grpc_call *transport;
    struct fault *fault;
    struct loss_message message;
    int64_t seqs[LANE_COUNT], marks[LANE_COUNT];
    enum status status; // of the errand
    struct loss_standing standing;
};

// ---- what is told ----

// Of each list the first that is wrong is told.
static bool read_position(struct fault *fault, const char *field, const Latchkey__V1__LanePosition *told,
                          struct revision *ret_position) {
    if (told->lane >= LANE_COUNT || told->seq == 0 || told->seq > INT64_MAX) {
        fault_add_field(fault, field, "there are lanes 0 to 64, and changes are numbered from 1");
        return false;
    }
    *ret_position = (struct revision){(uint8_t)told->lane, (int64_t)told->seq, (int64_t)told->mark};
    return true;
}

static bool read_id(struct fault *fault, const char *field, ProtobufCBinaryData told, struct uuid *ret_id) {
    struct uuid id = {{0}};
    if (told.len == sizeof(id))
        memcpy(&id, told.data, sizeof(id));
    if (uuid_is_zero(id))
        fault_add_field(fault, field, "send the 16 bytes of an id");
    *ret_id = id;
    return !uuid_is_zero(id);
}

static void read_positions(struct check_call *call, const Latchkey__V1__CheckHistoryRequest *request) {
    struct revision position;
    for (size_t i = 0; i < request->n_positions; i++) {
        if (!read_position(call->fault, "positions", request->positions[i], &position))
            break;
        call->seqs[position.lane] = position.seq;
        call->marks[position.lane] = position.mark;
    }
    call->message.seqs = call->seqs;
    call->message.marks = call->marks;
}

static enum status read_known(struct check_call *call, const Latchkey__V1__CheckHistoryRequest *request) {
    size_t count = request->n_known;
    struct revision *known =
        ARENA_NEW_ARRAY(grpc_call_get_arena(call->transport), struct revision, count + 1);
    if (!known)
        return STATUS_NO_MEMORY;
    size_t read = 0;
    while (read < count && read_position(call->fault, "known", request->known[read], &known[read]))
        read++;
    call->message.known = known;
    call->message.known_count = count;
    return STATUS_OK;
}

static bool read_claim(struct fault *fault, const Latchkey__V1__LossClaim *told, struct loss_claim *claim) {
    claim->what = bytes_of_text(told->what);
    claim->until_ms = told->until_ms;
    bool has_ids = read_id(fault, "claims.company_id", told->company_id, &claim->company_id) &&
                   read_id(fault, "claims.object_id", told->object_id, &claim->object_id);
    if (claim->what.len <= WHAT_BYTES_MAX)
        return has_ids;
    fault_add_field(fault, "claims.what", "send at most 64 bytes");
    return false;
}

static enum status read_claims(struct check_call *call, const Latchkey__V1__CheckHistoryRequest *request) {
    size_t count = request->n_claims;
    struct loss_claim *claims =
        ARENA_NEW_ARRAY(grpc_call_get_arena(call->transport), struct loss_claim, count + 1);
    if (!claims)
        return STATUS_NO_MEMORY;
    size_t read = 0;
    while (read < count && read_claim(call->fault, request->claims[read], &claims[read]))
        read++;
    call->message.claims = claims;
    call->message.claim_count = count;
    return STATUS_OK;
}

static void check_sizes(struct fault *fault, const Latchkey__V1__CheckHistoryRequest *request) {
    size_t instance_len = bytes_of_text(request->instance).len;
    if (instance_len == 0 || instance_len > INSTANCE_BYTES_MAX)
        fault_add_field(fault, "instance", "send a name of 1 to 255 bytes");
    if (bytes_of_text(request->failure).len > INSTANCE_BYTES_MAX)
        fault_add_field(fault, "failure", "send at most 255 bytes");
    if (request->n_positions > LANE_COUNT)
        fault_add_field(fault, "positions", "send at most one for each lane");
    if (request->n_known > KNOWN_MAX)
        fault_add_field(fault, "known", "send at most 8192, and call again");
    if (request->n_claims > CLAIMS_MAX)
        fault_add_field(fault, "claims", "send at most 2000, and call again");
}

static enum status read(struct check_call *call, const Latchkey__V1__CheckHistoryRequest *request) {
    call->message = (struct loss_message){.validator = bytes_of_text(request->instance),
                                          .is_complete = request->complete,
                                          .failure = bytes_of_text(request->failure)};
    bool has_id = read_id(call->fault, "report_id", request->report_id, &call->message.report_id);
    check_sizes(call->fault, request);
    if (!has_id || call->fault->status != STATUS_OK)
        return call->fault->status;
    read_positions(call, request);
    if (read_known(call, request) != STATUS_OK || read_claims(call, request) != STATUS_OK)
        return fault_set_no_memory(call->fault);
    return call->fault->status;
}

// ---- the answer ----

static bool add_back(struct arena *arena, const struct loss_standing *standing, unsigned lane,
                     Latchkey__V1__CheckHistoryResponse *response) {
    Latchkey__V1__LanePosition *back = ARENA_NEW(arena, Latchkey__V1__LanePosition);
    if (!back)
        return false;
    latchkey__v1__lane_position__init(back);
    back->lane = lane;
    back->seq = (uint64_t)standing->before_seqs[lane];
    back->mark = (uint64_t)standing->before_marks[lane];
    response->back_to[response->n_back_to++] = back;
    return true;
}

static bool add_lanes(struct arena *arena, const struct loss_standing *standing,
                      Latchkey__V1__CheckHistoryResponse *response) {
    response->lost_lanes = ARENA_NEW_ARRAY(arena, uint32_t, LANE_COUNT);
    response->back_to = ARENA_NEW_ARRAY(arena, Latchkey__V1__LanePosition *, LANE_COUNT);
    if (!response->lost_lanes || !response->back_to)
        return false;
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        if (!standing->lanes[lane])
            continue;
        response->lost_lanes[response->n_lost_lanes++] = lane;
        if (standing->is_settled[lane] && !add_back(arena, standing, lane, response))
            return false;
    }
    return true;
}

static void answer(struct check_call *call) {
    static const Latchkey__V1__HistoryStanding standings[] = {
        [LOSS_NONE] = LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_KEPT,
        [LOSS_REPORTED] = LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_REPORTED,
        [LOSS_COMPARED] = LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_COMPARED,
        [LOSS_SETTLED] = LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_SETTLED,
    };
    Latchkey__V1__CheckHistoryResponse response = LATCHKEY__V1__CHECK_HISTORY_RESPONSE__INIT;
    response.standing = standings[call->standing.state];
    if (add_lanes(grpc_call_get_arena(call->transport), &call->standing, &response)) {
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
    call->status = call->service->tell_loss(&call->message, &call->standing);
    loop_post(grpc_call_get_loop(call->transport), &call->task);
}

// Whether what is remembered here says already that all of it is in the history.
static bool is_known(const struct check_call *call, const struct validate_turn *turn) {
    const struct validator *validator = call->service->validate->validator;
    uint64_t now = loop_get_boottime_ns(grpc_call_get_loop(call->transport));
    if (lease_get_state(&validator->lease, now) != LEASE_SERVING)
        return false;
    for (uint8_t lane = 0; lane < LANE_COUNT; lane++) {
        const struct revision position = {lane, call->seqs[lane], call->marks[lane]};
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
    return status == STATUS_OK ? read(call, (const Latchkey__V1__CheckHistoryRequest *)request) : status;
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
