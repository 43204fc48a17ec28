#include "common/grpc/peer_guard.h"

#include "common/grpc/compression.h"

enum {
    PEERS_MAX = 4096,
    FLOOD_MEMORY_MS = 10000,
    INFLATION_SECONDS = 4, // at once, of what a second allows
};

static enum status init_floods(struct peer_guard *guard, const struct grpc_server_settings *settings) {
    const struct throttle_options options = {
        .burst = 1, .refill_ms = FLOOD_MEMORY_MS, .addresses_max = PEERS_MAX};
    return settings->flood_delay_ms > 0 ? throttle_new(&options, &guard->floods) : STATUS_OK;
}

static int64_t divide_up(int64_t number, int64_t by) {
    return (number + by - 1) / by;
}

static enum status init_inflation(struct peer_guard *guard, const struct grpc_server_settings *settings) {
    if (settings->peer_inflation_bytes == 0)
        return STATUS_OK;
    int64_t per_second = divide_up(settings->peer_inflation_bytes, COMPRESSION_STEP_BYTES);
    const struct throttle_options options = {.burst = per_second * INFLATION_SECONDS,
                                             .refill_ms = divide_up(1000, per_second),
                                             .addresses_max = PEERS_MAX};
    return throttle_new(&options, &guard->inflation);
}

enum status peer_guard_init(struct peer_guard *guard, const struct grpc_server_settings *settings) {
    enum status status = init_floods(guard, settings);
    return status == STATUS_OK ? init_inflation(guard, settings) : status;
}

void peer_guard_fini(struct peer_guard *guard) {
    throttle_free(guard->floods);
    throttle_free(guard->inflation);
}

bool peer_guard_may_inflate(struct peer_guard *guard, const struct ip_address *peer, uint64_t now_ns) {
    int64_t retry_in_ms;
    return !guard->inflation || throttle_take(guard->inflation, peer, now_ns, &retry_in_ms);
}

void peer_guard_note_flood(struct peer_guard *guard, const struct ip_address *peer, uint64_t now_ns) {
    int64_t retry_in_ms;
    if (guard->floods)
        (void)throttle_take(guard->floods, peer, now_ns, &retry_in_ms);
}

bool peer_guard_has_flooded(struct peer_guard *guard, const struct ip_address *peer, uint64_t now_ns) {
    return guard->floods && throttle_is_spent(guard->floods, peer, now_ns);
}
