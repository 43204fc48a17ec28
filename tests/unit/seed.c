// SplitMix64: good enough to choose inputs with, and any seed will do.
#include "tests/unit/seed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct seed seed_new(void) {
    const char *given = getenv("LATCHKEY_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t chosen =
        given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    printf("LATCHKEY_SEED=%" PRIu64 "\n", chosen);
    fflush(stdout); // a sanitizer may end the program with what stdout holds
    return (struct seed){chosen};
}

uint64_t seed_next(struct seed *seed) {
    uint64_t mixed = seed->state += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

uint64_t seed_next_below(struct seed *seed, uint64_t bound) {
    return seed_next(seed) % bound;
}

bool seed_is_one_in(struct seed *seed, uint64_t n) {
    return seed_next_below(seed, n) == 0;
}

void seed_fill(struct seed *seed, void *data, size_t len) {
    uint8_t *at = data;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)seed_next(seed);
}
