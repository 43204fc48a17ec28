// A budget that fills up again with time and with work (a token bucket): how often a peer may do what costs
// us more than it costs the peer.
#ifndef LATCHKEY_COMMON_GRPC_RATE_BUDGET_H
#define LATCHKEY_COMMON_GRPC_RATE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

// What it holds when full, and what it gets back.
struct rate {
    uint64_t burst, per_second;
    uint64_t per_work; // by each unit of what the caller counts as work
};

struct rate_budget {
    uint64_t tokens;
    uint64_t filled_ns, filled_work; // when it was last filled up
};

static inline struct rate_budget rate_budget_of(const struct rate *rate, uint64_t now_ns) {
    return (struct rate_budget){.tokens = rate->burst, .filled_ns = now_ns};
}

// Parts of a token stay with the time that is not used up.
static inline void rate_budget_fill(struct rate_budget *budget, const struct rate *rate, uint64_t now_ns,
                                    uint64_t work) {
    double elapsed_s = now_ns > budget->filled_ns ? (double)(now_ns - budget->filled_ns) / 1e9 : 0;
    uint64_t by_time = (uint64_t)(elapsed_s * (double)rate->per_second);
    uint64_t earned = by_time + (work - budget->filled_work) * rate->per_work;
    if (by_time > 0)
        budget->filled_ns = now_ns;
    budget->filled_work = work;
    budget->tokens = earned < rate->burst - budget->tokens ? budget->tokens + earned : rate->burst;
}

// False when less is left. It is filled up only then: the time is looked at rarely.
static inline bool rate_budget_spend(struct rate_budget *budget, const struct rate *rate, uint64_t cost,
                                     uint64_t now_ns, uint64_t work) {
    if (budget->tokens < cost)
        rate_budget_fill(budget, rate, now_ns, work);
    if (budget->tokens < cost)
        return false;
    budget->tokens -= cost;
    return true;
}

#endif
