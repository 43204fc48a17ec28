#include "common/db/backoff.h"

#include <assert.h>

// 2^16 times the first pause is far beyond the last: more failures change nothing.
#define FAILURES_THAT_COUNT 16

// The pause after one more is EXPECTING.
#define FAILURES_WHILE_EXPECTING 3
static_assert(BACKOFF_FIRST_MS << FAILURES_WHILE_EXPECTING == BACKOFF_EXPECTING_MS, "doubled that often");

uint32_t backoff_next_ms(struct backoff *backoff, uint64_t random) {
    if (backoff->failures < FAILURES_THAT_COUNT)
        backoff->failures++;
    uint64_t whole = (uint64_t)BACKOFF_FIRST_MS << (backoff->failures - 1);
    if (whole > BACKOFF_LAST_MS)
        whole = BACKOFF_LAST_MS;
    uint64_t half = whole / 2;
    return (uint32_t)(half + random % (whole - half + 1));
}

void backoff_reset(struct backoff *backoff) {
    backoff->failures = 0;
}

void backoff_expect(struct backoff *backoff) {
    if (backoff->failures > FAILURES_WHILE_EXPECTING)
        backoff->failures = FAILURES_WHILE_EXPECTING;
}
