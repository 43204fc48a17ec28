// A call's memory, its state, and what its handler may ask. Calls are kept by their loop and used again, with
// the first block of their arena, so that a call allocates nothing.
#include "common/grpc/call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/grpc/call_internal.h"

enum { FREE_CALLS_MAX = 1024, REFUSED_MS = 30000 };

static void on_deadline(struct timer *timer) {
    struct grpc_call *call = CONTAINER_OF(timer, struct grpc_call, deadline);
    if (call->state == CALL_HEADERS) {
        call_answer_late(call);
        return;
    }
    bool has_handler = call->state == CALL_RUNNING && call->method->handler->on_deadline;
    if (has_handler && !call->method->handler->on_deadline(call))
        call_overrule(call, STATUS_OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN",
                      "the call's deadline has passed, and what was asked may have been done; ask again "
                      "with the same request_id");
    else
        call_overrule(call, STATUS_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the call's deadline has passed");
}

static struct grpc_call *make(void) {
    struct grpc_call *call = calloc(1, sizeof(*call));
    if (!call)
        return NULL;
    arena_init(&call->arena, CALL_ARENA_BYTES_MAX);
    arena_init(&call->message_arena, CALL_ARENA_BYTES_MAX);
    arena_init(&call->transport_arena, CALL_ARENA_BYTES_MAX);
    framing_init(&call->framing, 0);
    return call;
}

static struct grpc_call *take_free(struct grpc_loop *home) {
    struct grpc_call *call = home->free_calls;
    if (!call)
        return make();
    home->free_calls = call->next;
    home->free_call_count--;
    // why: the next one has left the cache since it was in use, and is mostly asked for soon.
    __builtin_prefetch(home->free_calls);
    return call;
}

struct grpc_call *call_new(struct grpc_loop *home, const struct call_wire *wire) {
    struct grpc_call *call = take_free(home);
    if (!call)
        return NULL;
    call->next = NULL;
    call->wire = wire;
    call->home = home;
    call->protocol = &wire_protocols[PROTOCOL_GRPC]; // until it is known
    call->state = CALL_HEADERS;
    call->code = GRPC_CODE_CANCELLED;
    call->started_ns = loop_get_monotonic_ns(home->loop);
    call->deadline_ns = UINT64_MAX;
    call->deadline.on_due = on_deadline;
    call->out_end = &call->out_first;
    metadata_init(&call->head.metadata);
    metadata_init(&call->headers);
    metadata_init(&call->trailers);
    fault_init(&call->fault, &call->arena);
    return call;
}

void call_free(struct grpc_call *call) {
    framing_fini(&call->framing);
    buffer_fini(&call->held);
    buffer_fini(&call->request_buffer);
    buffer_fini(&call->reply_buffer);
    arena_fini(&call->arena);
    arena_fini(&call->message_arena);
    arena_fini(&call->transport_arena);
    free(call);
}

// Back to what take_free() may hand out: all zero but for the memory that is kept.
static void clear(struct grpc_call *call) {
    buffer_fini(&call->held);
    buffer_fini(&call->request_buffer);
    buffer_fini(&call->reply_buffer);
    memset(call, 0, offsetof(struct grpc_call, framing));
    framing_reset(&call->framing, 0);
    arena_reset(&call->arena);
    arena_reset(&call->message_arena);
    arena_reset(&call->transport_arena);
}

static void release(struct grpc_call *call) {
    struct grpc_loop *home = call->home;
    loop_disarm_timer(home->loop, &call->deadline);
    call_drop_outgoing(call);
    assert(call->arriving.bytes == 0);
    (void)!request_memory_set(&home->server->request_memory, &call->share, 0);
    if (home->free_call_count >= FREE_CALLS_MAX) {
        call_free(call);
        return;
    }
    clear(call);
    call->next = home->free_calls;
    home->free_calls = call;
    home->free_call_count++;
}

static void count_end(struct grpc_call *call) {
    struct grpc_method_stats *stats = &call->home->methods[call->method_index];
    uint64_t elapsed_ns = loop_get_monotonic_ns(call->home->loop) - call->started_ns;
    size_t bucket = 0;
    while (bucket < GRPC_STATS_BUCKETS && elapsed_ns > grpc_stats_bucket_bounds_ns[bucket])
        bucket++;
    stats_add(&stats->finished[call->code], 1);
    stats_add(&stats->latency[bucket], 1);
    stats_add(&stats->latency_sum_ns, elapsed_ns);
}

// The stream's half of what a change of state brings with it.
static void leave_stream(struct grpc_call *call) {
    call->wire->leave(call);
    loop_disarm_timer(call->home->loop, &call->deadline);
    call_drop_outgoing(call);
    buffer_fini(&call->held);
    call->held_at = 0;
    if (!call->is_counted)
        return;
    count_end(call);
    if (call->code == GRPC_CODE_CANCELLED)
        stats_add(&call->home->stats.calls_cancelled, 1);
}

enum call_state call_move(struct grpc_call *call, enum call_event event) {
    enum call_state to = call_state_after(call->state, event);
    call->state = to;
    if (!call_state_is_receiving(to))
        call_drop_arriving(call);
    switch (event) {
    case CALL_STARTED: loop_hold(call->home->loop); break;
    case CALL_FINISHED:
        call->wire->end_work(call);
        loop_release(call->home->loop);
        break;
    case CALL_LOST: leave_stream(call); break;
    default: break;
    }
    if (to == CALL_CLOSED) {
        call->wire->close(call);
        release(call);
    }
    return to;
}

void call_cancel(struct grpc_call *call) {
    atomic_store_explicit(&call->is_cancelled, true, memory_order_relaxed);
    if (call->method->handler->on_cancel)
        call->method->handler->on_cancel(call);
}

void call_on_drain(struct grpc_call *call) {
    if (call->state == CALL_RUNNING && call->method->handler->on_drain)
        call->method->handler->on_drain(call);
}

void call_on_stream_closed(struct grpc_call *call) {
    bool was_told = call->state == CALL_OVERRULED;
    if (call_move(call, CALL_LOST) == CALL_ORPHANED && !was_told)
        call_cancel(call);
}

// A request that is refused is waited for no longer than one that is taken, and never for ever.
static uint64_t get_refused_ns(const struct grpc_server_settings *settings) {
    int64_t ms = settings->request_timeout_ms > 0 ? settings->request_timeout_ms : REFUSED_MS;
    return (uint64_t)ms * 1000000;
}

void call_arm_deadline(struct grpc_call *call) {
    const struct grpc_server_settings *settings = &call->home->server->settings;
    uint64_t limit_ns = grpc_call_get_timeout_ns(call);
    uint64_t maximum_ns = (uint64_t)settings->max_deadline_ms * 1000000;
    if (limit_ns != UINT64_MAX)
        load_shed_note_timeout(&call->home->shed, limit_ns);
    bool is_short = call->state == CALL_HEADERS || call->method->shape == GRPC_UNARY;
    if (is_short && maximum_ns > 0 && maximum_ns < limit_ns)
        limit_ns = maximum_ns;
    if (call->state == CALL_HEADERS && limit_ns > get_refused_ns(settings))
        limit_ns = get_refused_ns(settings);
    if (limit_ns == UINT64_MAX)
        return;
    call->deadline_ns = call->started_ns + limit_ns;
    loop_arm_timer(call->home->loop, &call->deadline, call->deadline_ns);
}

const struct grpc_method *grpc_call_get_method(const struct grpc_call *call) {
    return call->method;
}

struct loop *grpc_call_get_loop(const struct grpc_call *call) {
    return call->home->loop;
}

struct arena *grpc_call_get_arena(struct grpc_call *call) {
    return &call->arena;
}

struct fault *grpc_call_get_fault(struct grpc_call *call) {
    return &call->fault;
}

void grpc_call_set_data(struct grpc_call *call, void *data) {
    call->data = data;
}

void *grpc_call_get_data(const struct grpc_call *call) {
    return call->data;
}

struct bytes grpc_call_find_metadata(const struct grpc_call *call, const char *name) {
    const struct metadata_field *field = metadata_find(call->head.metadata.first, bytes_of_text(name));
    return field ? field->value : BYTES_EMPTY;
}

const struct metadata *grpc_call_get_metadata(const struct grpc_call *call) {
    return &call->head.metadata;
}

uint64_t grpc_call_get_deadline_ns(const struct grpc_call *call) {
    return call->deadline_ns;
}

uint64_t grpc_call_get_timeout_ns(const struct grpc_call *call) {
    const struct timeout_value *timeout = &call->head.timeouts[call->protocol->timeout_family];
    return timeout->field == TIMEOUT_FIELD_VALID ? timeout->ns : UINT64_MAX;
}

const struct ip_address *grpc_call_get_peer(const struct grpc_call *call) {
    return &call->peer;
}

bool grpc_call_is_peer_local(const struct grpc_call *call) {
    return call->is_peer_local;
}

struct tls_identity *grpc_call_get_identity(const struct grpc_call *call) {
    return call->connection ? call->connection->identity : NULL;
}

struct bytes grpc_call_get_request(const struct grpc_call *call) {
    return call->request_bytes;
}

const void *grpc_call_get_connection(const struct grpc_call *call) {
    return call->connection;
}

bool grpc_call_is_cancelled(const struct grpc_call *call) {
    return atomic_load_explicit(&call->is_cancelled, memory_order_relaxed);
}
