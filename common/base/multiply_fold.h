// The mixing step of hashes that are keyed with random bits of this process, because customers choose what is
// hashed: all of a 128-bit product, folded to 64 bits.
#ifndef LATCHKEY_COMMON_BASE_MULTIPLY_FOLD_H
#define LATCHKEY_COMMON_BASE_MULTIPLY_FOLD_H

#include <stdint.h>

static inline uint64_t multiply_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
