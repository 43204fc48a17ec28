// The refusals that a loop has decided lately, those alike counted together: a bounded number of different
// ones for each company and for all, so that what one company's clients do never pushes out what another
// wants to see, unless all of them together fill it. The oldest goes first, by its latest refusal.
//
// Memory of fixed size. To note a refusal costs the same in a flood as otherwise: one hash, a short chain, a
// few links; it allocates nothing, reads no clock and never waits. Each loop has a log of its own; whoever
// lists copies from all of them (denial_log_copy()).
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_DENIAL_LOG_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_DENIAL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/ip/address.h"

#define DENIAL_DOMAIN_MAX 253 // bytes; the rest is cut off

// What is alike.
struct denial_key {
    struct uuid company_id; // zero = of no company: no token has the secret
    struct uuid token_id;   // zero = none
    struct ip_address address;
    uint8_t reason; // enum reason
    uint8_t domain_len;
    char domain[DENIAL_DOMAIN_MAX]; // zero behind its end
};

struct denial {
    struct denial_key key;
    int64_t first_at_ms, last_at_ms;
    uint64_t count;
};

struct denial_log;

// Keeps `max` different ones, of each company `company_max`; both at least 1. Before the loops start.
MUST_CHECK enum status denial_log_new(size_t max, size_t company_max, struct denial_log **ret_log);
void denial_log_free(struct denial_log *log); // takes NULL

// Fills a key's domain with as much as it keeps, no character cut in two. `domain` is UTF-8.
void denial_key_set_domain(struct denial_key *key, struct bytes domain);

// On the loop's thread. False: somebody was copying at that moment, and it is left out.
bool denial_log_note(struct denial_log *log, const struct denial_key *key, int64_t now_ms);

// Any thread: those of one company (zero: of none), the latest first; returns how many, at most `max`.
size_t denial_log_copy(struct denial_log *log, struct uuid company_id, struct denial *ret_denials,
                       size_t max);

size_t denial_log_get_company_max(const struct denial_log *log);

// Walks every invariant: the sentence for the first one broken, NULL if all hold. For tests; slow.
const char *denial_log_check(const struct denial_log *log);

#endif
