// How long to wait before the next attempt to connect: twice as long after each failure, up to a limit, and a
// random part so that many processes don't come back together. Pure.
#ifndef LATCHKEY_COMMON_DB_BACKOFF_H
#define LATCHKEY_COMMON_DB_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_EXPECTING_MS 800
#define BACKOFF_LAST_MS 5000

// Zeroed memory has seen no failure.
struct backoff {
    unsigned failures; // in a row
};

// Counts a failure and returns the pause: between half of and the whole of FIRST * 2^(failures - 1), at most
// LAST.
uint32_t backoff_next_ms(struct backoff *backoff, uint64_t random);

void backoff_reset(struct backoff *backoff);

// A host answers that may be able to do it soon, a standby before it is promoted: pauses begin again at
// EXPECTING at most.
void backoff_expect(struct backoff *backoff);

#endif
