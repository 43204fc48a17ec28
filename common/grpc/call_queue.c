// What waits to be taken by the client: messages with their prefixes, in order, bounded.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/grpc/call_internal.h"

enum {
    OUT_BYTES_MAX = 1024 * 1024, // queued for one call; one message more than nothing always fits
    OUT_BYTES_LOW = OUT_BYTES_MAX / 2,
    SMALL_BYTES = 16 * 1024, // a unary answer that always fits
    TURN_BYTES_MIN = 256,    // what a message counts for in a turn, however small: it takes time as well
};

// A call that is made inside of the process has no connection, and is read at once.
static void note_queued(struct grpc_call *call, size_t bytes) {
    call->out_bytes += bytes;
    if (!call->connection)
        return;
    call->connection->unread_bytes += bytes;
    call->connection->turn_bytes += bytes > TURN_BYTES_MIN ? bytes : TURN_BYTES_MIN;
}

static void note_gone(struct grpc_call *call, size_t bytes) {
    call->out_bytes -= bytes;
    if (call->connection && bytes > 0)
        call->connection->unread_bytes -= bytes;
}

static void pop_outgoing(struct grpc_call *call) {
    struct outgoing *first = call->out_first;
    note_gone(call, first->overhead_bytes);
    call->out_first = first->next;
    call->out_offset = 0;
    if (!call->out_first)
        call->out_end = &call->out_first;
    if (!first->is_owned)
        return;
    explicit_bzero((void *)first->bytes.data, first->bytes.len); // a secret, in the answers that make one
    free(first->data);
    free(first);
}

// A first answer is not counted, however large.
static bool hold_answers(struct grpc_call *call, size_t bytes) {
    return request_memory_set(&call->home->server->answer_memory, &call->answer_share, bytes);
}

static void note_taken(struct grpc_call *call) {
    if (call->out_bytes < call->answer_share.bytes)
        (void)!hold_answers(call, call->out_bytes);
}

void call_drop_outgoing(struct grpc_call *call) {
    while (call->out_first)
        pop_outgoing(call);
    note_gone(call, call->out_bytes);
    note_taken(call);
}

void call_push(struct grpc_call *call, struct outgoing *outgoing) {
    outgoing->next = NULL;
    *call->out_end = outgoing;
    call->out_end = &outgoing->next;
    note_queued(call, outgoing->overhead_bytes + outgoing->bytes.len);
}

static bool connection_has_room(const struct grpc_call *call, size_t size) {
    const struct grpc_connection *connection = call->connection;
    size_t max = (size_t)call->home->server->settings.unread_answer_bytes;
    return !connection || connection->unread_bytes == 0 || connection->unread_bytes + size <= max;
}

static bool has_turn(const struct grpc_call *call) {
    return !call->connection || call->connection->turn_bytes < CALL_TURN_BYTES_MAX;
}

bool call_may_reply(const struct grpc_call *call, size_t size) {
    return size <= SMALL_BYTES || connection_has_room(call, size);
}

size_t call_measure_body(const struct grpc_call *call, size_t room, bool *ret_is_all) {
    size_t len = 0, offset = call->out_offset;
    const struct outgoing *outgoing = call->out_first;
    for (; outgoing && len <= room; outgoing = outgoing->next) {
        len += outgoing->bytes.len - offset;
        offset = 0;
    }
    *ret_is_all = !outgoing && len <= room;
    return len < room ? len : room;
}

size_t call_read_body(struct grpc_call *call, uint8_t *to, size_t room) {
    size_t read = 0;
    while (call->out_first && read < room) {
        struct bytes bytes = call->out_first->bytes;
        size_t left = bytes.len - call->out_offset;
        size_t len = left < room - read ? left : room - read;
        memcpy(to + read, bytes.data + call->out_offset, len);
        read += len;
        call->out_offset += len;
        if (len == left)
            pop_outgoing(call);
    }
    note_gone(call, read);
    note_taken(call);
    if (call->is_waiting_for_room && call->out_bytes <= OUT_BYTES_LOW)
        call->wire->note_room(call);
    return read;
}

void call_skip_prefix(struct grpc_call *call) {
    call->out_offset = FRAMING_PREFIX_BYTES;
    note_gone(call, FRAMING_PREFIX_BYTES);
}

enum status call_check_room(struct grpc_call *call, size_t size) {
    assert(call_state_has_handler(call->state));
    if (call->state != CALL_RUNNING)
        return STATUS_CLOSED;
    size_t queued = call->out_bytes + sizeof(struct outgoing) + size;
    if (call->out_bytes == 0)
        return STATUS_OK;
    if (has_turn(call) && queued <= OUT_BYTES_MAX && connection_has_room(call, size) &&
        hold_answers(call, queued))
        return STATUS_OK;
    call->is_waiting_for_room = true;
    return STATUS_EXHAUSTED;
}

static struct outgoing *new_outgoing(size_t size, uint8_t **ret_bytes) {
    struct outgoing *outgoing = malloc(sizeof(*outgoing) + size);
    if (!outgoing)
        return NULL;
    *ret_bytes = (uint8_t *)(outgoing + 1);
    outgoing->bytes = bytes_of(*ret_bytes, size);
    outgoing->overhead_bytes = sizeof(*outgoing); // of many small messages most
    outgoing->is_owned = true;
    outgoing->data = NULL;
    return outgoing;
}

struct outgoing *call_new_outgoing(uint8_t flag, size_t size, uint8_t **ret_body) {
    uint8_t *bytes;
    struct outgoing *outgoing = new_outgoing(FRAMING_PREFIX_BYTES + size, &bytes);
    if (!outgoing)
        return NULL;
    framing_write_prefix(bytes, (uint32_t)size);
    bytes[0] = flag;
    *ret_body = bytes + FRAMING_PREFIX_BYTES;
    return outgoing;
}

bool call_push_framed(struct grpc_call *call, struct bytes framed) {
    uint8_t *bytes;
    struct outgoing *outgoing = new_outgoing(framed.len, &bytes);
    if (!outgoing)
        return false;
    memcpy(bytes, framed.data, framed.len);
    call_push(call, outgoing);
    return true;
}

bool call_push_buffer(struct grpc_call *call, struct buffer *framed) {
    struct outgoing *outgoing = malloc(sizeof(*outgoing));
    if (!outgoing)
        return false;
    *outgoing = (struct outgoing){.bytes = buffer_get_bytes(framed),
                                  .overhead_bytes = sizeof(*outgoing) + framed->capacity - framed->len,
                                  .is_owned = true,
                                  .data = framed->data};
    *framed = (struct buffer){.limit = framed->limit};
    call_push(call, outgoing);
    return true;
}

bool call_push_copy(struct grpc_call *call, uint8_t flag, struct bytes message) {
    uint8_t *body;
    struct outgoing *outgoing = call_new_outgoing(flag, message.len, &body);
    if (!outgoing)
        return false;
    if (message.len > 0)
        memcpy(body, message.data, message.len);
    call_push(call, outgoing);
    return true;
}
