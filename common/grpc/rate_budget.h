// A budget that fills up again with time (a token bucket): how often a peer may do what costs us more than it
// costs the peer.
#ifndef LATCHKEY_COMMON_GRPC_RATE_BUDGET_H
#define LATCHKEY_COMMON_GRPC_RATE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct rate_budget {
    uint64_t tokens, burst, per_second;
    uint64_t filled_ns;
};

static inline struct rate_budget rate_budget_of(uint64_t burst, uint64_t per_second, uint64_t now_ns) {
    return (struct rate_budget){
        .tokens = burst, .burst = burst, .per_second = per_second, .filled_ns = now_ns};
}

// False when it is used up. The clock is only looked at then.
static inline bool rate_budget_spend(struct rate_budget *budget, uint64_t now_ns) {
    if (budget->tokens == 0 && now_ns > budget->filled_ns) {
        uint64_t earned = (uint64_t)((double)(now_ns - budget->filled_ns) * (double)budget->per_second / 1e9);
        if (earned > 0)
            budget->filled_ns = now_ns;
        budget->tokens = earned < budget->burst ? earned : budget->burst;
    }
    if (budget->tokens == 0)
        return false;
    budget->tokens--;
    return true;
}

// Work that earns more of the same.
static inline void rate_budget_refund(struct rate_budget *budget, uint64_t tokens) {
    budget->tokens = budget->burst - budget->tokens < tokens ? budget->burst : budget->tokens + tokens;
}

#endif
