#include "services/validator/decide/watch_rpc.h"

#include <string.h>

#include "common/grpc/call.h"
#include "common/protobuf/timestamp.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_turn.h"

#define PERMISSION "latchkey.validate.watch"

enum { INSTANCE_BYTES_MAX = 255, FORMAT_MIN = 1 };

// In the call's arena.
struct watch {
    const struct watch_service *service;
    struct grpc_call *transport;
    struct feed_watcher *watcher; // NULL = the first message has not come
    struct feed_piece piece;      // that the transport has not taken
    bool is_stalled;              // on_writable follows
};

static struct watch *get_watch(const struct grpc_call *transport) {
    return grpc_call_get_data(transport);
}

// ---- its end ----

enum ending { MAY_SERVE_ON, SERVES_NO_MORE };

// The watch is gone when it returns.
static void finish(struct watch *watch, enum ending ending) {
    if (watch->watcher)
        feed_close(watch->watcher, ending == SERVES_NO_MORE);
    feed_piece_fini(&watch->piece);
    grpc_call_finish(watch->transport, grpc_call_get_fault(watch->transport));
}

static enum status fail_cut(struct fault *fault, enum feed_news news) {
    switch (news) {
    case FEED_CUT_SLOW:
        return fault_set(fault, STATUS_UNAVAILABLE, "FEED_TOO_SLOW",
                         "changes come faster than you take them: begin again");
    case FEED_CUT_LOST:
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "HISTORY_LOST",
                         "the database lacks changes that you have been fed: admit nobody");
    default:
        return fault_set(fault, STATUS_UNAVAILABLE, "FEED_ENDED",
                         "this validator has loaded anew: begin again");
    }
}

// ---- what is sent ----

static enum status send_piece(struct watch *watch) {
    enum status status = STATUS_OK;
    if (watch->piece.bytes.len > 0)
        status = grpc_call_send_framed(watch->transport, watch->piece.bytes);
    watch->is_stalled = status == STATUS_EXHAUSTED;
    if (!watch->is_stalled)
        feed_piece_fini(&watch->piece);
    if (status == STATUS_NO_MEMORY || status == STATUS_MALFORMED)
        return fault_set_no_memory(grpc_call_get_fault(watch->transport));
    return grpc_call_hold_memory(watch->transport, watch->piece.own.capacity);
}

// Until nothing is left, or the transport takes no more.
static enum status send(struct watch *watch) {
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !watch->is_stalled) {
        enum feed_news news = feed_take(watch->watcher, &watch->piece);
        if (news == FEED_NOTHING)
            return STATUS_OK;
        status =
            news == FEED_PIECE ? send_piece(watch) : fail_cut(grpc_call_get_fault(watch->transport), news);
    }
    return status;
}

static void settle(struct watch *watch, enum status status) {
    if (status == STATUS_OK && watch->watcher && !grpc_call_is_cancelled(watch->transport))
        status = send(watch);
    if (status != STATUS_OK)
        finish(watch, MAY_SERVE_ON);
}

static enum status check_asker(const struct watch *watch, struct validate_turn *ret_turn) {
    return validate_turn_begin_watching(watch->service->validate, watch->transport, PERMISSION,
                                        grpc_call_get_fault(watch->transport), ret_turn);
}

// Whether anybody's token can be judged now. While it can't, what comes is told: nothing was heard of an end.
static bool can_check(const struct watch *watch) {
    uint64_t now = loop_get_boottime_ns(grpc_call_get_loop(watch->transport));
    return !grpc_call_is_cancelled(watch->transport) &&
           lease_get_state(&watch->service->validate->validator->lease, now) == LEASE_SERVING;
}

// Who only listens is looked at here: its token may have ended, too.
static void on_news(void *context) {
    struct watch *watch = context;
    struct validate_turn turn;
    settle(watch, can_check(watch) ? check_asker(watch, &turn) : STATUS_OK);
}

// ---- what comes ----

static enum status check_positions(struct fault *fault, const Latchkey__V1__WatchChangesRequest *request) {
    for (size_t i = 0; i < request->n_positions; i++) {
        const Latchkey__V1__LanePosition *position = request->positions[i];
        if (position->lane >= LANE_COUNT)
            fault_add_field(fault, "positions.lane", "there are lanes 0 to 64");
        else if (position->seq > INT64_MAX)
            fault_add_field(fault, "positions.seq", "no lane has as many changes");
    }
    return fault->status;
}

static struct revision read_position(const Latchkey__V1__LanePosition *position) {
    return (struct revision){(uint8_t)position->lane, (int64_t)position->seq, (int64_t)position->mark};
}

static enum status check_first(struct fault *fault, const Latchkey__V1__WatchChangesRequest *request) {
    size_t instance_len = bytes_of_text(request->instance).len;
    if (instance_len == 0 || instance_len > INSTANCE_BYTES_MAX)
        fault_add_field(fault, "instance", "send a name of 1 to 255 bytes");
    if (request->instance_id.len != sizeof(struct uuid))
        fault_add_field(fault, "instance_id", "send 16 bytes, drawn when you started");
    if (request->format < FORMAT_MIN)
        fault_add_field(fault, "format", "send the newest format that you understand, 1 or above");
    return check_positions(fault, request);
}

// Who says nothing of lanes serves all of them.
static struct lane_set get_lanes(const Latchkey__V1__WatchChangesRequest *request) {
    return request->lanes ? (struct lane_set){request->lanes} : LANE_SET_ALL;
}

// Nobody is fed who would serve what is not followed here.
static enum status check_lanes(const struct validate_view *view, struct fault *fault,
                               const Latchkey__V1__WatchChangesRequest *request) {
    struct lane_set served = image_get_lanes(view->image)->served;
    char text[LANE_SET_TEXT_MAX + 1];
    if (lane_set_includes(served, get_lanes(request)))
        return STATUS_OK;
    lane_set_format(served, text);
    return fault_set(fault, STATUS_FAILED_PRECONDITION, "LANES_NOT_SERVED",
                     "this validator serves the lanes %s alone: follow one that serves all of yours", text);
}

// Whether what it has applied is of this history at all.
static enum status check_history(const struct validate_view *view, struct fault *fault,
                                 const Latchkey__V1__WatchChangesRequest *request) {
    const struct lanes *lanes = image_get_lanes(view->image);
    for (size_t i = 0; i < request->n_positions; i++)
        if (lanes_compare(lanes, view->positions, read_position(request->positions[i])) == LANES_FOREIGN)
            return fault_set(fault, STATUS_FAILED_PRECONDITION, "HISTORY_LOST",
                             "the positions are of another history than this validator's");
    return STATUS_OK;
}

static struct feed_start get_start(struct watch *watch, const Latchkey__V1__WatchChangesRequest *request) {
    struct feed_start start = {.name = bytes_of_text(request->instance),
                               .has_point = request->n_positions > 0,
                               .feed = request->feed,
                               .lanes = get_lanes(request),
                               .max_staleness_ns = duration_get_ns(request->max_staleness, UINT64_MAX),
                               .loop = grpc_call_get_loop(watch->transport),
                               .on_news = on_news,
                               .context = watch};
    memcpy(&start.instance_id, request->instance_id.data, sizeof(start.instance_id));
    for (size_t i = 0; i < request->n_positions; i++) {
        struct revision position = read_position(request->positions[i]);
        start.point.seqs[position.lane] = position.seq;
        start.point.marks[position.lane] = position.mark;
    }
    return start;
}

static enum status open(struct watch *watch, const struct validate_view *view,
                        const Latchkey__V1__WatchChangesRequest *request) {
    struct fault *fault = grpc_call_get_fault(watch->transport);
    if (check_first(fault, request) != STATUS_OK || check_lanes(view, fault, request) != STATUS_OK ||
        check_history(view, fault, request) != STATUS_OK)
        return fault->status;
    struct feed_start start = get_start(watch, request);
    switch (feed_open(watch->service->feed, &start, &watch->watcher)) {
    case STATUS_OK: feed_note(watch->watcher, NULL, 0, request->nonce); return STATUS_OK;
    case STATUS_NO_MEMORY: return fault_set_no_memory(fault);
    case STATUS_NOT_FOUND:
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "POSITIONS_UNKNOWN",
                         "this feed does not go on from these positions: ask for a snapshot");
    default: return fault_set(fault, STATUS_UNAVAILABLE, "LOADING", "this validator is still loading");
    }
}

static enum status note(struct watch *watch, const Latchkey__V1__WatchChangesRequest *request) {
    struct fault *fault = grpc_call_get_fault(watch->transport);
    struct revision positions[LANE_COUNT];
    if (request->n_positions > LANE_COUNT)
        fault_add_field(fault, "positions", "send at most one for each lane");
    if (check_positions(fault, request) != STATUS_OK)
        return fault->status;
    for (size_t i = 0; i < request->n_positions; i++)
        positions[i] = read_position(request->positions[i]);
    feed_note(watch->watcher, positions, request->n_positions, request->nonce);
    return STATUS_OK;
}

// Who asks is looked at with each message: its token may have ended.
static enum status take_in(struct watch *watch, const Latchkey__V1__WatchChangesRequest *request) {
    struct validate_turn turn;
    enum status status = check_asker(watch, &turn);
    if (status != STATUS_OK)
        return status;
    validate_note_asker(&turn);
    return watch->watcher ? note(watch, request) : open(watch, &turn.view, request);
}

// ---- the transport's callbacks ----

static void on_start(struct grpc_call *transport) {
    struct watch *watch = ARENA_NEW(grpc_call_get_arena(transport), struct watch);
    if (!watch) {
        fault_set_no_memory(grpc_call_get_fault(transport));
        grpc_call_finish(transport, grpc_call_get_fault(transport));
        return;
    }
    watch->service = grpc_call_get_method(transport)->context;
    watch->transport = transport;
    grpc_call_set_data(transport, watch);
}

static void on_message(struct grpc_call *transport, const ProtobufCMessage *request) {
    struct watch *watch = get_watch(transport);
    settle(watch, take_in(watch, (const Latchkey__V1__WatchChangesRequest *)request));
}

static void on_writable(struct grpc_call *transport) {
    struct watch *watch = get_watch(transport);
    settle(watch, send_piece(watch));
}

// In order: it has given its last answer.
static void on_half_close(struct grpc_call *transport) {
    finish(get_watch(transport), SERVES_NO_MORE);
}

static void on_drain(struct grpc_call *transport) {
    settle(get_watch(transport), fault_set(grpc_call_get_fault(transport), STATUS_UNAVAILABLE, "DRAINING",
                                           "this connection is to end: go on with another stream"));
}

static void on_cancel(struct grpc_call *transport) {
    finish(get_watch(transport), MAY_SERVE_ON);
}

const struct grpc_handler watch_handler = {.on_start = on_start,
                                           .on_message = on_message,
                                           .on_half_close = on_half_close,
                                           .on_writable = on_writable,
                                           .on_drain = on_drain,
                                           .on_cancel = on_cancel};
