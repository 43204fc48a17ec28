#include "common/grpc/connection_pace.h"

#include "common/grpc/connection_write.h"

#define PROBATION_NS (UINT64_C(2) * 1000000000)
#define NS_PER_MS UINT64_C(1000000)

static void on_due(struct timer *timer) {
    connection_write_update_reading(CONTAINER_OF(timer, struct grpc_connection, pace));
}

static void wait(struct grpc_connection *connection, uint64_t now_ns) {
    uint64_t delay_ns = (uint64_t)connection->home->server->settings.flood_delay_ms * NS_PER_MS;
    loop_arm_timer(connection->home->loop, &connection->pace, now_ns + delay_ns);
}

void connection_pace_start(struct grpc_connection *connection) {
    struct grpc_loop *home = connection->home;
    uint64_t now_ns = loop_get_monotonic_ns(home->loop);
    connection->pace.on_due = on_due;
    if (!peer_guard_has_flooded(&home->server->peer_guard, stream_get_peer(connection->stream), now_ns))
        return;
    stats_add(&home->stats.connections_slowed, 1);
    connection->probation_end_ns = now_ns + PROBATION_NS;
    wait(connection, now_ns);
}

void connection_pace_stop(struct grpc_connection *connection) {
    loop_disarm_timer(connection->home->loop, &connection->pace);
}

void connection_pace_note_read(struct grpc_connection *connection) {
    if (connection->probation_end_ns == 0)
        return;
    uint64_t now_ns = loop_get_monotonic_ns(connection->home->loop);
    if (now_ns < connection->probation_end_ns)
        wait(connection, now_ns);
    else
        connection->probation_end_ns = 0;
}
