// The numbers are far above what clients do and far below what hurts: a connection that spends a budget as
// fast as it fills costs less than one that makes calls.
#include "common/grpc/flood_guard.h"

#include <string.h>

enum {
    PING_STRIKES_MAX = 2,
    LATE_TIMES = 20, // with the usual settings what 1000 calls with time-outs of 100 ms come to
};

#define WITHOUT_CALLS_NS (UINT64_C(7200) * 1000000000)
#define MS_NS UINT64_C(1000000)

struct flood_row {
    struct rate rate;
    uint64_t cost;
    enum grpc_close close;
};

static const struct flood_row rows[FLOOD_COUNT] = {
    // Rapid reset and MadeYouReset (CVE-2023-44487, CVE-2025-8671). Their rate is a setting.
    [FLOOD_RESETS] = {{.per_work = 1}, FLOOD_RESET_WORK, GRPC_CLOSE_TOO_MANY_RESETS},
    // The same by clients that choose their time-outs for it.
    [FLOOD_LATE_RESETS] = {{.per_work = 1}, FLOOD_RESET_WORK, GRPC_CLOSE_TOO_MANY_LATE_RESETS},
    // CVE-2019-9512. Clients that measure the path ping as they receive.
    [FLOOD_PINGS] = {{500, 10, 1}, 1, GRPC_CLOSE_TOO_MANY_PINGS},
    // CVE-2019-9515. Clients that adapt their windows send some.
    [FLOOD_SETTINGS] = {{200, 10, 0}, 1, GRPC_CLOSE_TOO_MANY_SETTINGS},
    // Some clients open the window of each stream, and all give back what they have read.
    [FLOOD_WINDOW_UPDATES] = {{10000, 1000, 20}, 1, GRPC_CLOSE_TOO_MANY_WINDOW_UPDATES},
    // CVE-2019-9513.
    [FLOOD_PRIORITIES] = {{10000, 100, 100}, 1, GRPC_CLOSE_TOO_MANY_PRIORITIES},
    // Who has not heard yet that his call is over sends as much as the window of its stream lets him.
    [FLOOD_LATE_DATA] = {{10000, 1000, 20}, 1, GRPC_CLOSE_TOO_MUCH_LATE_DATA},
    // CVE-2019-9518.
    [FLOOD_EMPTY_FRAMES] = {{100, 10, 0}, 1, GRPC_CLOSE_TOO_MANY_EMPTY_FRAMES},
    // Each is read to its end, for HPACK's sake.
    [FLOOD_LARGE_HEADERS] = {{100, 10, 0}, 1, GRPC_CLOSE_TOO_MANY_LARGE_HEADERS},
    // Unknown types are how HTTP/2 is extended: browsers send one (PRIORITY_UPDATE) for a request.
    [FLOOD_OTHER_FRAMES] = {{1000, 10, 1}, 1, GRPC_CLOSE_TOO_MANY_OTHER_FRAMES},
    // Gzip bombs: a thousand times what was sent is to be made, and looked at.
    [FLOOD_INFLATION] = {{128, 64, 0}, 1, GRPC_CLOSE_TOO_MUCH_INFLATION},
};

static void set_rate_of_resets(struct rate *rate, const struct grpc_server_settings *settings,
                               uint64_t times) {
    rate->burst = (uint64_t)settings->reset_burst * times * FLOOD_RESET_WORK;
    rate->per_second = (uint64_t)settings->reset_rate * times * FLOOD_RESET_WORK;
}

void flood_limits_init(struct flood_limits *limits, const struct grpc_server_settings *settings) {
    memset(limits, 0, sizeof(*limits));
    for (size_t i = 0; i < FLOOD_COUNT; i++)
        limits->rates[i] = rows[i].rate;
    set_rate_of_resets(&limits->rates[FLOOD_RESETS], settings, 1);
    set_rate_of_resets(&limits->rates[FLOOD_LATE_RESETS], settings, LATE_TIMES);
    limits->min_ping_interval_ns = (uint64_t)settings->min_ping_interval_ms * MS_NS;
    limits->permits_pings_without_calls = settings->permits_pings_without_calls;
}

void flood_guard_init(struct flood_guard *guard, const struct flood_limits *limits, uint64_t now_ns) {
    memset(guard, 0, sizeof(*guard));
    for (size_t i = 0; i < FLOOD_COUNT; i++)
        guard->budgets[i] = rate_budget_of(&limits->rates[i], now_ns);
}

bool flood_guard_pass(struct flood_guard *guard, const struct flood_limits *limits, enum flood kind,
                      size_t count, const struct flood_moment *moment) {
    return rate_budget_spend(&guard->budgets[kind], &limits->rates[kind], rows[kind].cost * count,
                             moment->now_ns, moment->work);
}

static uint64_t get_ping_interval_ns(const struct flood_limits *limits, bool has_calls) {
    bool is_strict = !has_calls && !limits->permits_pings_without_calls;
    return is_strict ? WITHOUT_CALLS_NS : limits->min_ping_interval_ns;
}

// A8: two may come too early, and what we send forgives them.
static bool pass_interval(struct flood_guard *guard, const struct flood_limits *limits,
                          const struct flood_moment *moment) {
    uint64_t last_ns = guard->last_ping_ns;
    bool is_forgiven = guard->pinged_work != moment->work || last_ns == 0;
    guard->last_ping_ns = moment->now_ns;
    guard->pinged_work = moment->work;
    if (is_forgiven)
        guard->ping_strikes = 0;
    else if (moment->now_ns - last_ns < get_ping_interval_ns(limits, moment->has_calls))
        guard->ping_strikes++;
    return guard->ping_strikes <= PING_STRIKES_MAX;
}

bool flood_guard_pass_ping(struct flood_guard *guard, const struct flood_limits *limits,
                           const struct flood_moment *moment) {
    if (!flood_guard_pass(guard, limits, FLOOD_PINGS, 1, moment))
        return false;
    return limits->min_ping_interval_ns == 0 || pass_interval(guard, limits, moment);
}

enum grpc_close flood_get_close(enum flood kind) {
    return rows[kind].close;
}
