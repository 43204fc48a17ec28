// Sign-ins that are on their way at an OpenID provider. Nothing is kept of one that has only begun, so that
// who begins many uses nothing up: all of it stands in `state`, which goes to the provider and comes back,
// and which we know again by a key of this process. It is for one browser, which a cookie tells, for a while.
// What a provider has signed somebody in by is kept as long as that, so that it works once.
//
//     state = hex(begun, random, company, HMAC(key, "state", browser, begun, random, company))
//     nonce, verifier = hex(HMAC(key, "nonce" or "verifier", the same))
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_FLOW_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/console/console_link.h"

enum {
    CONSOLE_FLOW_ID_BYTES = 24, // when it began, and 16 random bytes
    CONSOLE_FLOW_DIGEST_BYTES = 32,
    CONSOLE_FLOW_STATE_MAX = 2 * (CONSOLE_FLOW_ID_BYTES + CONSOLE_COMPANY_MAX + CONSOLE_FLOW_DIGEST_BYTES),
    CONSOLE_FLOW_SECRET_LENGTH = 2 * CONSOLE_FLOW_DIGEST_BYTES,
};

// Wipe it with secret_wipe() when it is not needed any more.
struct console_flow {
    uint8_t id[CONSOLE_FLOW_ID_BYTES];
    char company[CONSOLE_COMPANY_MAX + 1];
    char state[CONSOLE_FLOW_STATE_MAX + 1];
    char nonce[CONSOLE_FLOW_SECRET_LENGTH + 1], verifier[CONSOLE_FLOW_SECRET_LENGTH + 1];
};

struct console_flows;

// `max`: that can be used up within one lifetime.
MUST_CHECK enum status console_flows_new(size_t max, int64_t lifetime_ms, struct console_flows **ret_flows);
void console_flows_free(struct console_flows *flows); // wipes the key; takes NULL

// All from here on: any thread. `now_ns` is boot time.

// `company` is CONSOLE_COMPANY_MAX long at most, `browser` what its cookie says. NO_MEMORY.
MUST_CHECK enum status console_flows_begin(const struct console_flows *flows, struct bytes browser,
                                           const char *company, uint64_t now_ns,
                                           struct console_flow *ret_flow);

// The one that `state` is of. False: it is none of ours, of another browser, or too old.
MUST_CHECK bool console_flows_find(const struct console_flows *flows, struct bytes browser,
                                   struct bytes state, uint64_t now_ns, struct console_flow *ret_flow);

// Uses it up. False: it is used up already, or too many are.
MUST_CHECK bool console_flows_take(struct console_flows *flows, const struct console_flow *flow,
                                   uint64_t now_ns);

#endif
