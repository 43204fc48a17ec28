// Two blocks of SHA-256 side by side, by the CPU's own instructions. Each step of a digest waits for the one
// before, so that two take as long as one. Secrets of tokens are a block each (digest.h, which is what
// everybody else calls).
#ifndef LATCHKEY_COMMON_CRYPTO_SHA256_PAIR_H
#define LATCHKEY_COMMON_CRYPTO_SHA256_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/digest.h"

#define SHA256_BLOCK_BYTES 64

// Of what is one block with its padding.
struct sha256_pair {
    uint8_t blocks[2][SHA256_BLOCK_BYTES];
};

// Whether this CPU has such instructions: x86 only.
bool sha256_pair_is_possible(void);

// Only where it is possible.
void sha256_pair_run(const struct sha256_pair *pair, struct digest *const ret_digests[2]);

#endif
