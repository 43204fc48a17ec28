#include "common/grpc/call_gather.h"

#include "common/grpc/call_internal.h"

// why so early where few may work at once: a call that could be answered by itself is not refused because it
// came together with others.
static bool is_full(const struct call_gather *gather, const struct grpc_connection *connection) {
    size_t max = (size_t)connection->home->server->settings.max_executing;
    return gather->count == GRPC_CALLS_TOGETHER_MAX || connection->executing + gather->count >= max;
}

static void hand_over(struct grpc_call *call) {
    if (call_start(call))
        call->method->handler->on_requests(&call, 1);
}

void call_gather_add(struct grpc_call *call) {
    struct grpc_connection *connection = call->connection;
    struct call_gather *gather = &call->home->gather;
    if (!connection || !connection->is_reading) {
        hand_over(call);
        return;
    }
    if (gather->method != call->method)
        call_gather_run(gather);
    gather->method = call->method;
    call->is_gathered = true;
    gather->calls[gather->count++] = call;
    if (is_full(gather, connection))
        call_gather_run(gather);
}

void call_gather_remove(struct grpc_call *call) {
    struct call_gather *gather = &call->home->gather;
    if (!call->is_gathered)
        return;
    for (size_t i = 0; i < gather->count; i++)
        if (gather->calls[i] == call)
            gather->calls[i] = NULL;
}

void call_gather_run(struct call_gather *gather) {
    struct grpc_call *calls[GRPC_CALLS_TOGETHER_MAX];
    size_t count = 0;
    for (size_t i = 0; i < gather->count; i++) {
        struct grpc_call *call = gather->calls[i];
        if (!call)
            continue;
        call->is_gathered = false;
        if (call_start(call))
            calls[count++] = call;
    }
    gather->count = 0;
    if (count > 0)
        gather->method->handler->on_requests(calls, count);
}
