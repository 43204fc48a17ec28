// Pseudo-random input that can be had again: the seed is printed, and LATCHKEY_SEED in the environment
// repeats it.
#ifndef LATCHKEY_TESTS_UNIT_SEED_H
#define LATCHKEY_TESTS_UNIT_SEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seed {
    uint64_t state;
};

// Takes the seed from the environment, else from the clock, and prints it.
struct seed seed_new(void);

uint64_t seed_next(struct seed *seed);

// From 0 to `bound` - 1; `bound` is not 0.
uint64_t seed_next_below(struct seed *seed, uint64_t bound);

bool seed_is_one_in(struct seed *seed, uint64_t n);

void seed_fill(struct seed *seed, void *data, size_t len);

#endif
