// The wire of a call whose caller is in this process. The answer is taken when the loop's turn ends, as an
// HTTP/2 connection takes it, so no handler is called back from inside of its own answer.
#include "common/grpc/local_call.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/grpc/call_internal.h"

enum { BODY_PIECE_BYTES = 16 * 1024 };

struct local_call {
    // Any thread: the owner, the call until it is closed, and a cancel on its way hold one each. Relaxed to
    // take, acquire-release to give back, so that the last one sees all that the others did.
    atomic_uint references;

    // Const once begun.
    struct grpc_loop *home;
    local_call_on_done on_done;
    void *context;

    struct loop_task start_task, cancel_task;

    // The loop's.
    const struct local_request *request; // until on_done
    struct grpc_call *call;              // until its stream is closed
    struct loop_task turn_end;
    bool is_turn_end_deferred;
    bool is_cancelled;
    bool is_lost; // there is no memory to answer with
    bool has_body;
    const nghttp2_nv *rows; // of the answer's header fields; NULL = none yet
    size_t row_count;
    struct buffer body;
    struct arena arena; // of what on_done sees
};

static void hold(struct local_call *local) {
    atomic_fetch_add_explicit(&local->references, 1, memory_order_relaxed);
}

static void release(struct local_call *local) {
    if (atomic_fetch_sub_explicit(&local->references, 1, memory_order_acq_rel) > 1)
        return;
    buffer_fini(&local->body);
    arena_fini(&local->arena);
    free(local);
}

// ---- the answer ----

static bool is_pseudo(const nghttp2_nv *row) {
    return row->namelen > 0 && row->name[0] == ':';
}

static bool copy_rows(struct local_call *local, const nghttp2_nv *rows, size_t count,
                      struct metadata *ret_fields) {
    metadata_init(ret_fields);
    for (size_t i = 0; i < count; i++)
        if (!is_pseudo(&rows[i]) &&
            metadata_add(ret_fields, &local->arena, bytes_of(rows[i].name, rows[i].namelen),
                         bytes_of(rows[i].value, rows[i].valuelen)) != STATUS_OK)
            return false;
    return true;
}

static unsigned read_http_status(const struct local_call *local) {
    uint64_t status = 0;
    for (size_t i = 0; i < local->row_count; i++)
        if (is_pseudo(&local->rows[i]))
            (void)!bytes_parse_unsigned(bytes_of(local->rows[i].value, local->rows[i].valuelen), 999,
                                        &status);
    return (unsigned)status;
}

static struct local_response make_response(struct local_call *local) {
    struct local_response response = {.body = buffer_get_bytes(&local->body)};
    const struct grpc_call *call = local->call;
    if (!local->is_lost && !local->body.failed && local->rows &&
        copy_rows(local, local->rows, local->row_count, &response.fields) &&
        copy_rows(local, call->trailer_rows, call->trailer_count, &response.trailers))
        response.http_status = read_http_status(local);
    return response;
}

// The stream's end, from the call's side and from the caller's.
static void end(struct local_call *local, const struct local_response *response) {
    struct grpc_call *call = local->call;
    local->call = NULL;
    hold(local);
    call_on_stream_closed(call);
    local->on_done(local->context, response);
    release(local);
}

static void take_body(struct local_call *local) {
    size_t read;
    do {
        uint8_t *to = buffer_reserve(&local->body, BODY_PIECE_BYTES);
        if (!to)
            return;
        read = call_read_body(local->call, to, BODY_PIECE_BYTES);
        buffer_advance(&local->body, read);
    } while (read > 0 && local->call->out_first);
}

static bool is_answered(const struct local_call *local) {
    return local->is_lost || local->body.failed ||
           (local->rows && (!local->has_body || local->call->is_complete));
}

static void on_turn_end(struct loop_task *task) {
    struct local_call *local = CONTAINER_OF(task, struct local_call, turn_end);
    local->is_turn_end_deferred = false;
    if (local->call) {
        if (local->has_body)
            take_body(local);
        if (is_answered(local)) {
            struct local_response response = make_response(local);
            end(local, &response);
        }
    }
    release(local);
}

// ---- the wire ----

static struct local_call *get_local(const struct grpc_call *call) {
    return call->wire_data;
}

static void schedule(struct grpc_call *call) {
    struct local_call *local = get_local(call);
    if (local->is_turn_end_deferred)
        return;
    local->is_turn_end_deferred = true;
    hold(local);
    loop_defer(local->home->loop, &local->turn_end);
}

static void submit_headers(struct grpc_call *call, const nghttp2_nv *rows, size_t count, bool has_body) {
    struct local_call *local = get_local(call);
    local->rows = rows;
    local->row_count = count;
    local->has_body = has_body;
}

static void reset(struct grpc_call *call) {
    get_local(call)->is_lost = true;
    schedule(call);
}

static bool start_work(struct grpc_call *call) {
    (void)call; // whoever makes local calls bounds how many
    return true;
}

static void close_call(struct grpc_call *call) {
    release(get_local(call));
}

static void do_nothing(struct grpc_call *call) {
    (void)call;
}

// The whole request is there at once.
static void consume(struct grpc_call *call, size_t len) {
    (void)call, (void)len;
}

static const struct call_wire local_wire = {
    .submit_headers = submit_headers,
    .resume_body = do_nothing,
    .reset = reset,
    .schedule = schedule,
    .note_end = do_nothing,
    .consume = consume,
    .note_room = do_nothing,
    .start_work = start_work,
    .end_work = do_nothing,
    .leave = do_nothing,
    .close = close_call,
};

// ---- the request ----

static void read_head(struct grpc_call *call, const struct local_request *request) {
    struct arena *arena = &call->arena;
    request_head_add(&call->head, arena, BYTES_LITERAL(":method"),
                     request->is_get ? BYTES_LITERAL("GET") : BYTES_LITERAL("POST"));
    request_head_add(&call->head, arena, BYTES_LITERAL(":path"), request->path);
    for (const struct metadata_field *field = request->fields.first; field; field = field->next)
        request_head_add(&call->head, arena, field->name, field->value);
}

// As the frames of a stream would come.
static void feed(struct grpc_call *call, const struct local_request *request) {
    call_on_headers(call);
    assert(!call->method || call->method->shape == GRPC_UNARY);
    call_on_data(call, request->body, true);
    call_on_half_close(call);
}

static void on_start(struct loop_task *task) {
    struct local_call *local = CONTAINER_OF(task, struct local_call, start_task);
    const struct local_request *request = local->request;
    struct grpc_call *call = local->is_cancelled ? NULL : call_new(local->home, &local_wire);
    if (!call) {
        local->on_done(local->context, &(struct local_response){0});
        release(local);
        return;
    }
    call->wire_data = local;
    call->peer = request->peer;
    call->is_peer_local = request->is_local;
    local->call = call;
    read_head(call, request);
    feed(call, request);
}

static void on_cancel(struct loop_task *task) {
    struct local_call *local = CONTAINER_OF(task, struct local_call, cancel_task);
    local->is_cancelled = true;
    if (local->call)
        end(local, &(struct local_response){0});
    release(local);
}

enum status local_call_new(struct grpc_server *server, size_t loop_index, const struct local_request *request,
                           local_call_on_done on_done, void *context, struct local_call **ret_call) {
    struct local_call *local = calloc(1, sizeof(*local));
    if (!local)
        return STATUS_NO_MEMORY;
    local->references = 1;
    local->home = &server->home[loop_index];
    local->request = request;
    local->on_done = on_done;
    local->context = context;
    local->start_task.run = on_start;
    local->cancel_task.run = on_cancel;
    local->turn_end.run = on_turn_end;
    arena_init(&local->arena, 0);
    *ret_call = local;
    return STATUS_OK;
}

void local_call_begin(struct local_call *local) {
    hold(local);
    loop_post(local->home->loop, &local->start_task);
}

void local_call_cancel(struct local_call *local) {
    hold(local);
    loop_post(local->home->loop, &local->cancel_task);
}

void local_call_free(struct local_call *local) {
    if (local)
        release(local);
}
