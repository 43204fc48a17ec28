// Until when a validator may decide. A renewal is sent, and its answer, once everything it told of has been
// applied, lets the validator serve for `term` counted from *before it was sent*, on CLOCK_BOOTTIME, which
// runs on while the machine sleeps. Nothing else lets it serve: no connection, no wall clock.
//
//   LOADING ---grant---> SERVING --term is over--> STALE --grant--> SERVING
//   any --lose--> HISTORY_LOST --recover--> STALE
//   any but HISTORY_LOST --withdraw--> STALE (LOADING stays LOADING)
//
// Pure. One writer; readers on any thread.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_LEASE_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_LEASE_H

#include <stdatomic.h>
#include <stdint.h>

enum lease_state {
    LEASE_LOADING = 0, // deny is zero: it knows nothing yet
    LEASE_SERVING,
    LEASE_STALE,
    LEASE_HISTORY_LOST,
};

struct lease {
    uint64_t term_ns;
    // Relaxed on both sides: the data that a grant speaks of was published before, and whoever decides by
    // older data a moment after a withdrawal is within the lease that stood until then.
    _Atomic uint64_t until_ns; // boottime; 0 = may not serve
    _Atomic int without;       // enum lease_state while it may not
};

void lease_init(struct lease *lease, uint64_t term_ns);

// Writer: all that the renewal sent at `sent_ns` told of has been applied. An earlier one never shortens it.
// It lets serve for `valid_ns`, a part of somebody else's lease, and for the term at most.
void lease_grant(struct lease *lease, uint64_t sent_ns, uint64_t valid_ns);

// Writer: at once no more. Its row is gone, or its clock can't be trusted.
void lease_withdraw(struct lease *lease);

// Writer: the history that it, or another validator, has followed is not the database's; and it is again.
void lease_lose_history(struct lease *lease);
void lease_recover_history(struct lease *lease);

// Any thread. `now_ns` is boottime, read after the bytes of the request.
static inline enum lease_state lease_get_state(const struct lease *lease, uint64_t now_ns) {
    if (now_ns < atomic_load_explicit(&lease->until_ns, memory_order_relaxed))
        return LEASE_SERVING;
    return (enum lease_state)atomic_load_explicit(&lease->without, memory_order_relaxed);
}

// Any thread: how long it may still serve; 0 = it may not.
uint64_t lease_get_left_ns(const struct lease *lease, uint64_t now_ns);

// "loading", "serving", "stale", "history lost"; static storage.
const char *lease_state_get_name(enum lease_state state);

#endif
