#include "services/validator/decide/validate_stream_rpc.h"

#include <stdlib.h>
#include <string.h>

#include "services/validator/decide/validate_item.h"
#include "services/validator/decide/validate_item_wire.h"

enum {
    ASKED_BYTES_MAX = 64 * 1024, // and one message
    // What a portion usually takes: room for it from the first on, so that it is not moved as it grows.
    ASKED_BYTES_USUAL = BACKLOG_PORTION * 112,
    ANSWER_BYTES_USUAL = 208,
    ANSWERS_BYTES_MAX = 256 * 1024, // made in a turn, but for the last
};

// In the call's arena.
struct stream {
    struct backlog_job job;
    const struct validate_service *service;
    struct validate_loop *mine;
    struct grpc_call *transport;
    struct buffer asked;   // messages, each behind its length
    size_t asked_at;       // those before are answered
    struct buffer answers; // that the transport has not taken
    struct parked *parked;
    size_t parked_count, parked_bytes;
    bool is_stalled; // on_writable follows
    bool is_half_closed;
    bool is_draining;
};

// Owned by its stream.
struct parked {
    struct parked *next, **link;
    struct stream *stream;
    struct validate_wait wait;
    uint64_t due_ns, id;
    size_t len;
    uint8_t message[]; // the question
};

// One that is being answered.
struct asked {
    const struct validate_item *item;
    struct bytes message;
    uint64_t id;
    size_t at; // where it stands among those that were asked
};

struct portion {
    struct asked asked[BACKLOG_PORTION];
    struct validate_item items[BACKLOG_PORTION]; // of the same
    size_t count;
};

// ---- its end ----

static size_t measure(const struct parked *parked) {
    return sizeof(*parked) + parked->len;
}

static void drop(struct parked *parked) {
    *parked->link = parked->next;
    if (parked->next)
        parked->next->link = parked->link;
    parked->stream->parked_count--;
    parked->stream->parked_bytes -= measure(parked);
    free(parked);
}

static void drop_parked(struct stream *stream) {
    while (stream->parked) {
        validate_count_unparked(&stream->mine->counters, VALIDATE_WAIT_CANCELLED);
        validate_waits_leave(&stream->parked->wait);
        drop(stream->parked);
    }
}

// The stream is gone when it returns.
static void finish(struct stream *stream) {
    drop_parked(stream);
    backlog_remove(&stream->mine->backlog, &stream->job);
    buffer_fini(&stream->asked);
    buffer_fini(&stream->answers);
    grpc_call_finish(stream->transport, grpc_call_get_fault(stream->transport));
}

static enum status set_draining(struct stream *stream) {
    return fault_set(grpc_call_get_fault(stream->transport), STATUS_UNAVAILABLE, "DRAINING",
                     "this connection is to end: go on with another stream");
}

// Without memory the buffer fails, as it would later.
static void make_room(struct buffer *buffer, size_t size) {
    if (!buffer->data)
        (void)!buffer_reserve(buffer, size);
}

// ---- answers ----

// CLOSED is left to on_cancel.
static enum status flush(struct stream *stream) {
    if (stream->answers.failed)
        return STATUS_NO_MEMORY;
    if (stream->answers.len == 0 || stream->is_stalled)
        return STATUS_OK;
    enum status status = grpc_call_send_buffer(stream->transport, &stream->answers);
    stream->is_stalled = status == STATUS_EXHAUSTED;
    return status == STATUS_NO_MEMORY || status == STATUS_MALFORMED ? status : STATUS_OK;
}

static enum status hold(const struct stream *stream) {
    return grpc_call_hold_memory(stream->transport,
                                 stream->asked.capacity + stream->answers.capacity + stream->parked_bytes);
}

static bool has_asked(const struct stream *stream) {
    return stream->asked.len > 0;
}

static bool has_answered_all(const struct stream *stream) {
    return !has_asked(stream) && !stream->parked && stream->answers.len == 0;
}

// What follows every step. The stream may be gone when it returns, because it is at its end, or because
// reading goes on and leads there.
static void settle(struct stream *stream, enum status status) {
    if (flush(stream) != STATUS_OK && status == STATUS_OK)
        status = fault_set_no_memory(grpc_call_get_fault(stream->transport));
    if (status == STATUS_OK)
        status = hold(stream);
    bool is_over = (stream->is_half_closed || stream->is_draining) && has_answered_all(stream);
    if (status == STATUS_OK && is_over && !stream->is_half_closed)
        status = set_draining(stream);
    if (status != STATUS_OK || is_over)
        finish(stream);
    else if (!has_asked(stream) && !stream->is_stalled && !stream->is_draining)
        grpc_call_resume(stream->transport);
}

static void tell(struct stream *stream, uint64_t id, const struct validate_answer *answer) {
    validate_stream_wire_append(&stream->answers, id, answer);
}

static enum status decide(struct stream *stream, const struct validate_turn *turn,
                          const struct asked *asked) {
    struct validate_answer answer;
    if (validate_item_decide(turn, asked->item, &stream->mine->scratch, &answer) != STATUS_OK)
        return fault_set_no_memory(grpc_call_get_fault(stream->transport));
    tell(stream, asked->id, &answer);
    return STATUS_OK;
}

static void give_up(struct stream *stream, const struct validate_turn *turn, const struct asked *asked) {
    struct validate_answer answer;
    validate_item_give_up(turn, asked->item, &answer);
    tell(stream, asked->id, &answer);
}

// ---- what waits for its min_revision ----

static void on_resume(struct validate_wait *wait);

static struct parked *keep(struct stream *stream, const struct validate_turn *turn,
                           const struct asked *asked) {
    struct parked *parked = malloc(sizeof(*parked) + asked->message.len);
    if (!parked)
        return NULL;
    *parked = (struct parked){.next = stream->parked,
                              .link = &stream->parked,
                              .stream = stream,
                              .wait = {.revision = asked->item->revision,
                                       .came_at_round = turn->view.positions->round,
                                       .resume = on_resume},
                              .due_ns = validate_service_get_wait_end_ns(stream->service, stream->transport),
                              .id = asked->id,
                              .len = asked->message.len};
    memcpy(parked->message, asked->message.data, asked->message.len);
    if (parked->next)
        parked->next->link = &parked->next;
    stream->parked = parked;
    stream->parked_count++;
    stream->parked_bytes += measure(parked);
    return parked;
}

static bool wait_on(struct parked *parked) {
    struct validate_loop *mine = parked->stream->mine;
    if (parked->wait.is_over)
        return false;
    if (validate_waits_park(&mine->waits, &parked->wait, parked->due_ns) == STATUS_OK) {
        validate_count(&mine->counters.parked, 1);
        return true;
    }
    validate_count(&mine->counters.waits[VALIDATE_WAIT_OVERLOADED], 1);
    return false;
}

static bool park(struct stream *stream, const struct validate_turn *turn, const struct asked *asked) {
    if (stream->parked_count >= VALIDATE_STREAM_PARKED_MAX)
        return false;
    struct parked *parked = keep(stream, turn, asked);
    bool waits = parked && wait_on(parked);
    if (parked && !waits)
        drop(parked);
    return waits;
}

// Whether it is answered now.
static enum status take_up(struct parked *parked, bool *ret_is_answered) {
    struct stream *stream = parked->stream;
    struct fault *fault = grpc_call_get_fault(stream->transport);
    struct validate_item item;
    const struct asked asked = {
        .id = parked->id, .message = bytes_of(parked->message, parked->len), .item = &item};
    struct validate_turn turn;
    *ret_is_answered = true;
    enum status status =
        validate_turn_begin(stream->service, stream->transport, VALIDATE_ANYBODY, fault, &turn);
    if (status != STATUS_OK)
        return status;
    if (validate_item_read(asked.message, &stream->mine->scratch, &item) != STATUS_OK)
        return fault_set_no_memory(fault); // it has been read before
    validate_items_look_up(&turn.view, &item, 1);
    enum validate_standing standing = validate_item_judge(&turn.view, &item, parked->wait.came_at_round);
    if (standing == VALIDATE_REACHED)
        return decide(stream, &turn, &asked);
    *ret_is_answered = standing != VALIDATE_NOT_YET || !wait_on(parked);
    if (*ret_is_answered)
        give_up(stream, &turn, &asked);
    return STATUS_OK;
}

static void on_resume(struct validate_wait *wait) {
    struct parked *parked = CONTAINER_OF(wait, struct parked, wait);
    struct stream *stream = parked->stream;
    bool is_answered;
    validate_count_unparked(&stream->mine->counters,
                            wait->is_over ? VALIDATE_WAIT_NOT_REACHED : VALIDATE_WAIT_REACHED);
    enum status status = take_up(parked, &is_answered);
    arena_reset(&stream->mine->scratch);
    if (is_answered)
        drop(parked);
    settle(stream, status);
}

// ---- a portion ----

static struct bytes take_message(struct stream *stream) {
    const uint8_t *at = stream->asked.data + stream->asked_at;
    uint32_t len;
    memcpy(&len, at, sizeof(len));
    stream->asked_at += sizeof(len) + len;
    return bytes_of(at + sizeof(len), len);
}

// What was read before a message that is none is answered.
static enum status fill(struct stream *stream, struct portion *portion) {
    struct arena *scratch = &stream->mine->scratch;
    struct fault *fault = grpc_call_get_fault(stream->transport);
    while (portion->count < BACKLOG_PORTION && stream->asked_at < stream->asked.len) {
        struct asked *asked = &portion->asked[portion->count];
        struct validate_item *item = &portion->items[portion->count];
        asked->at = stream->asked_at;
        struct bytes message = take_message(stream);
        enum status status = validate_stream_wire_read(message, scratch, &asked->id, &asked->message);
        if (status == STATUS_OK)
            status = validate_item_read(asked->message, scratch, item);
        if (status == STATUS_MALFORMED)
            return validate_fail_malformed(stream->transport, message, fault);
        if (status != STATUS_OK)
            return fault_set_no_memory(fault);
        asked->item = item;
        portion->count++;
    }
    return STATUS_OK;
}

static enum status answer(struct stream *stream, const struct validate_turn *turn,
                          const struct asked *asked) {
    switch (validate_item_judge(&turn->view, asked->item, turn->view.positions->round)) {
    case VALIDATE_REACHED: return decide(stream, turn, asked);
    case VALIDATE_NOT_YET:
        if (park(stream, turn, asked))
            return STATUS_OK;
        break;
    case VALIDATE_OF_ANOTHER_HISTORY:
    case VALIDATE_NOT_SERVED: break;
    }
    give_up(stream, turn, asked);
    return STATUS_OK;
}

// Those behind what is enough for a turn are read again in another one; not where the stream is to end here.
static enum status answer_each(struct stream *stream, const struct validate_turn *turn,
                               const struct portion *portion, enum status read_status) {
    for (size_t i = 0; i < portion->count; i++) {
        if (read_status == STATUS_OK && stream->answers.len >= ANSWERS_BYTES_MAX) {
            stream->asked_at = portion->asked[i].at;
            return STATUS_OK;
        }
        enum status status = answer(stream, turn, &portion->asked[i]);
        if (status != STATUS_OK)
            return status;
    }
    return read_status;
}

static enum status answer_portion(struct stream *stream, struct portion *portion) {
    struct validate_turn turn;
    enum status status = validate_turn_begin(stream->service, stream->transport, VALIDATE_ANYBODY,
                                             grpc_call_get_fault(stream->transport), &turn);
    if (status != STATUS_OK)
        return status;
    validate_note_asker(&turn);
    enum status read_status = fill(stream, portion);
    make_room(&stream->answers, portion->count * ANSWER_BYTES_USUAL);
    validate_items_look_up(&turn.view, portion->items, portion->count);
    return answer_each(stream, &turn, portion, read_status);
}

static void forget_asked(struct stream *stream) {
    buffer_fini(&stream->asked); // it may be long until the next
    stream->asked_at = 0;
}

static size_t run(struct backlog_job *job) {
    struct stream *stream = CONTAINER_OF(job, struct stream, job);
    struct portion portion;
    portion.count = 0;
    if (stream->is_stalled || !has_asked(stream))
        return 0;
    enum status status = answer_portion(stream, &portion);
    arena_reset(&stream->mine->scratch);
    if (stream->asked_at < stream->asked.len)
        backlog_add(&stream->mine->backlog, job);
    else
        forget_asked(stream);
    settle(stream, status);
    return portion.count;
}

// ---- the transport's callbacks ----

static void on_start(struct grpc_call *transport) {
    const struct validate_service *service = grpc_call_get_method(transport)->context;
    struct fault *fault = grpc_call_get_fault(transport);
    struct stream *stream = ARENA_NEW(grpc_call_get_arena(transport), struct stream);
    struct validate_turn turn;
    enum status status = stream ? validate_turn_begin(service, transport, VALIDATE_ANYBODY, fault, &turn)
                                : fault_set_no_memory(fault);
    if (status != STATUS_OK) {
        grpc_call_finish(transport, fault);
        return;
    }
    stream->job.run = run;
    stream->job.connection = grpc_call_get_connection(transport);
    stream->service = service;
    stream->mine = turn.mine;
    stream->transport = transport;
    grpc_call_set_data(transport, stream);
}

static enum status keep_message(struct stream *stream, struct bytes message) {
    uint32_t len = (uint32_t)message.len;
    size_t capacity = stream->asked.capacity;
    make_room(&stream->asked, ASKED_BYTES_USUAL);
    uint8_t *to = buffer_reserve(&stream->asked, sizeof(len) + len);
    if (!to)
        return fault_set_no_memory(grpc_call_get_fault(stream->transport));
    memcpy(to, &len, sizeof(len));
    if (len > 0)
        memcpy(to + sizeof(len), message.data, len);
    buffer_advance(&stream->asked, sizeof(len) + len);
    return stream->asked.capacity == capacity ? STATUS_OK : hold(stream);
}

static void on_bytes(struct grpc_call *transport, struct bytes message) {
    struct stream *stream = grpc_call_get_data(transport);
    if (keep_message(stream, message) != STATUS_OK) {
        finish(stream);
        return;
    }
    if (stream->asked.len >= ASKED_BYTES_MAX)
        grpc_call_pause(transport);
    backlog_add(&stream->mine->backlog, &stream->job);
}

static void on_half_close(struct grpc_call *transport) {
    struct stream *stream = grpc_call_get_data(transport);
    stream->is_half_closed = true;
    settle(stream, STATUS_OK);
}

static void on_writable(struct grpc_call *transport) {
    struct stream *stream = grpc_call_get_data(transport);
    stream->is_stalled = false;
    if (has_asked(stream))
        backlog_add(&stream->mine->backlog, &stream->job);
    settle(stream, STATUS_OK);
}

static void on_drain(struct grpc_call *transport) {
    struct stream *stream = grpc_call_get_data(transport);
    stream->is_draining = true;
    grpc_call_pause(transport);
    settle(stream, STATUS_OK);
}

static void on_cancel(struct grpc_call *transport) {
    finish(grpc_call_get_data(transport));
}

const struct grpc_handler validate_stream_handler = {.on_start = on_start,
                                                     .on_bytes = on_bytes,
                                                     .on_half_close = on_half_close,
                                                     .on_writable = on_writable,
                                                     .on_drain = on_drain,
                                                     .on_cancel = on_cancel};
