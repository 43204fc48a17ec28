// why: OpenSSL's older interface, deprecated but kept: for the 55 bytes of a secret it takes as long as a
// prefetched EVP context (65 ns; EVP_Digest() takes 90 to 245, SHA256() 300), and it needs no context for
// each thread and cannot fail. A secret is one block, which is padded here: its pieces need not be put
// together.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/crypto/digest.h"

#include <assert.h>
#include <endian.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>

#include "common/crypto/sha256_pair.h"

static_assert(DIGEST_LENGTH == SHA256_DIGEST_LENGTH, "a digest is a SHA-256");

// What fits one block with its padding: a bit, zeros, the length in bits.
enum { LENGTH_AT = SHA256_CBLOCK - 8, ONE_BLOCK_MAX = LENGTH_AT - 1 };

// why for a length that is known: nearly all that comes here are secrets of our own making.
static void pad(struct bytes data, uint8_t ret_block[SHA256_CBLOCK]) {
    memset(ret_block, 0, SHA256_CBLOCK);
    if (data.len == ONE_BLOCK_MAX)
        memcpy(ret_block, data.data, ONE_BLOCK_MAX);
    else if (data.len > 0)
        memcpy(ret_block, data.data, data.len);
    ret_block[data.len] = 0x80;
    ret_block[SHA256_CBLOCK - 2] = (uint8_t)(data.len >> 5);
    ret_block[SHA256_CBLOCK - 1] = (uint8_t)(data.len << 3);
}

static void digest_block(struct bytes data, struct digest *ret_digest) {
    SHA256_CTX context;
    uint8_t block[SHA256_CBLOCK];
    pad(data, block);
    SHA256_Init(&context);
    SHA256_Transform(&context, block);
    for (size_t i = 0; i < DIGEST_LENGTH / 4; i++) {
        uint32_t word = htobe32(context.h[i]);
        memcpy(ret_digest->bytes + 4 * i, &word, sizeof(word));
    }
    OPENSSL_cleanse(block, sizeof(block));
}

void digest_sha256(struct bytes data, struct digest *ret_digest) {
    if (data.len <= ONE_BLOCK_MAX) {
        digest_block(data, ret_digest);
        return;
    }
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data.data, data.len);
    SHA256_Final(ret_digest->bytes, &context);
    // why: what is digested may be a secret, and its whole block stands in the context.
    OPENSSL_cleanse(&context, sizeof(context));
}

void digest_sha256_pair(const struct bytes data[2], struct digest *const ret_digests[2]) {
    if (!sha256_pair_is_possible() || data[0].len > ONE_BLOCK_MAX || data[1].len > ONE_BLOCK_MAX) {
        digest_sha256(data[0], ret_digests[0]);
        digest_sha256(data[1], ret_digests[1]);
        return;
    }
    struct sha256_pair pair;
    pad(data[0], pair.blocks[0]);
    pad(data[1], pair.blocks[1]);
    sha256_pair_run(&pair, ret_digests);
    OPENSSL_cleanse(&pair, sizeof(pair));
}

void digest_sha256_pieces(bool (*next)(void *context, struct bytes *ret_piece), void *context,
                          struct digest *ret_digest) {
    SHA256_CTX state;
    struct bytes piece;
    SHA256_Init(&state);
    while (next(context, &piece))
        SHA256_Update(&state, piece.data, piece.len);
    SHA256_Final(ret_digest->bytes, &state);
    OPENSSL_cleanse(&state, sizeof(state));
}

enum status digest_hmac_sha256(struct bytes key, struct bytes data, struct digest *ret_digest) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned length;
    assert(key.len <= INT_MAX);
    if (!HMAC(EVP_sha256(), key.data, (int)key.len, data.data, data.len, mac, &length))
        return STATUS_NO_MEMORY;
    assert(length == DIGEST_LENGTH);
    memcpy(ret_digest->bytes, mac, DIGEST_LENGTH);
    return STATUS_OK;
}

bool digest_is_equal(const struct digest *a, const struct digest *b) {
    return CRYPTO_memcmp(a->bytes, b->bytes, DIGEST_LENGTH) == 0;
}
