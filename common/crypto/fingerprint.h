// Sixteen bytes that stand for a digest where 32 are too many: SipHash-2-4 with 128 bits of output, keyed
// with random bits that nobody outside knows.
//
// why keyed, and not the digest's own first bytes: digests of imported secrets are chosen by customers, who
// could choose two that begin alike, or one that begins like another company's, and have one token answered
// as the other. Against who has no key the output is a random function of all 32 bytes: among 10 million
// digests, however they were chosen, any two share a fingerprint with a probability of 2^-82, and a secret
// tried at random meets one of them with 2^-104. So equal fingerprints are taken for equal digests.
#ifndef LATCHKEY_COMMON_CRYPTO_FINGERPRINT_H
#define LATCHKEY_COMMON_CRYPTO_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/digest.h"

struct fingerprint_key {
    uint64_t words[2];
};

struct fingerprint {
    uint64_t words[2];
};

struct fingerprint_key fingerprint_key_new(void);

// Takes the same time for every digest.
struct fingerprint fingerprint_of(const struct fingerprint_key *key, const struct digest *digest);

// Zero where they are equal. Without a branch: how far two are alike shows in no time.
static inline uint64_t fingerprint_get_difference(const struct fingerprint *a, const struct fingerprint *b) {
    return (a->words[0] ^ b->words[0]) | (a->words[1] ^ b->words[1]);
}

static inline bool fingerprint_is_equal(const struct fingerprint *a, const struct fingerprint *b) {
    return fingerprint_get_difference(a, b) == 0;
}

#endif
