// SHA-256, as the identity of secrets and of requests: no allocation, no failure. And keyed (HMAC, RFC 2104),
// to know again what we gave out.
#ifndef LATCHKEY_COMMON_CRYPTO_DIGEST_H
#define LATCHKEY_COMMON_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define DIGEST_LENGTH 32

struct digest {
    uint8_t bytes[DIGEST_LENGTH];
};

void digest_sha256(struct bytes data, struct digest *ret_digest);

// The same of two at once, which takes less than twice the time where both are at most 55 bytes.
void digest_sha256_pair(const struct bytes data[2], struct digest *const ret_digests[2]);

// The same of data that comes piece by piece and need not be in memory at once: `next` sets the next piece,
// which it keeps until it is called again, or answers false at the end.
void digest_sha256_pieces(bool (*next)(void *context, struct bytes *ret_piece), void *context,
                          struct digest *ret_digest);

// NO_MEMORY is its only failure.
MUST_CHECK enum status digest_hmac_sha256(struct bytes key, struct bytes data, struct digest *ret_digest);

// Takes the same time wherever they differ.
bool digest_is_equal(const struct digest *a, const struct digest *b);

#endif
