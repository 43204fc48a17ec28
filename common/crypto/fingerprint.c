#include "common/crypto/fingerprint.h"

#include <assert.h>
#include <string.h>

#include "common/base/random.h"

enum { WORDS = DIGEST_LENGTH / sizeof(uint64_t) };
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the words of a digest are read as they lie");

struct state {
    uint64_t v0, v1, v2, v3;
};

struct fingerprint_key fingerprint_key_new(void) {
    struct fingerprint_key key;
    random_fill(key.words, sizeof(key.words));
    return key;
}

static inline uint64_t rotate(uint64_t word, unsigned bits) {
    return word << bits | word >> (64 - bits);
}

static inline void run_round(struct state *state) {
    state->v0 += state->v1;
    state->v2 += state->v3;
    state->v1 = rotate(state->v1, 13) ^ state->v0;
    state->v3 = rotate(state->v3, 16) ^ state->v2;
    state->v0 = rotate(state->v0, 32);
    state->v2 += state->v1;
    state->v0 += state->v3;
    state->v1 = rotate(state->v1, 17) ^ state->v2;
    state->v3 = rotate(state->v3, 21) ^ state->v0;
    state->v2 = rotate(state->v2, 32);
}

static inline void absorb(struct state *state, uint64_t word) {
    state->v3 ^= word;
    run_round(state);
    run_round(state);
    state->v0 ^= word;
}

static inline uint64_t squeeze(struct state *state) {
    for (int i = 0; i < 4; i++)
        run_round(state);
    return state->v0 ^ state->v1 ^ state->v2 ^ state->v3;
}

struct fingerprint fingerprint_of(const struct fingerprint_key *key, const struct digest *digest) {
    struct state state = {.v0 = key->words[0] ^ UINT64_C(0x736f6d6570736575),
                          .v1 = key->words[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                          .v2 = key->words[0] ^ UINT64_C(0x6c7967656e657261),
                          .v3 = key->words[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t words[WORDS];
    memcpy(words, digest->bytes, sizeof(words));
    for (int i = 0; i < WORDS; i++)
        absorb(&state, words[i]);
    absorb(&state, (uint64_t)DIGEST_LENGTH << 56);

    struct fingerprint fingerprint;
    state.v2 ^= 0xee;
    fingerprint.words[0] = squeeze(&state);
    state.v1 ^= 0xdd;
    fingerprint.words[1] = squeeze(&state);
    return fingerprint;
}
