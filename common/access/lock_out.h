// The lock-out guard: no change of a list of addresses goes through that would refuse the address from which
// it is asked for, unless it is forced. One rule for every list that binds a caller and every way to change
// it. Pure.
//
// What a list says to an address is the moment until which it lets it in: CLOCK_NEVER_MS without end, also
// where no list binds the caller, CLOCK_ALWAYS_MS not at all.
#ifndef LATCHKEY_COMMON_ACCESS_LOCK_OUT_H
#define LATCHKEY_COMMON_ACCESS_LOCK_OUT_H

#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/ip/address.h"

struct lock_out {
    struct ip_address address; // of the call; no family = unknown, which no list holds
    int64_t now_ms;
    int64_t horizon_ms;      // an end that is nearer than this counts as being locked out
    int64_t let_in_until_ms; // as things stand
    int64_t would_until_ms;  // after the change
};

// FAILED_PRECONDITION (LOCKS_OUT_CALLER) with the address (clientIp) and the entry it would need
// (neededEntry), if the caller would be refused now, or within the horizon and sooner than it is anyhow.
MUST_CHECK enum status lock_out_check(const struct lock_out *change, struct fault *fault);

#endif
