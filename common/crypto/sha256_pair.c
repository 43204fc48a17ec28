// The rounds of FIPS 180-4 in the shape that the instructions want: the eight words of the state as A, B, E,
// F and C, D, G, H, from the top down, and four words of the schedule at a time.
#include "common/crypto/sha256_pair.h"

#include "common/crypto/cpu.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define WITH_INSTRUCTIONS __attribute__((target("sha,sse4.1")))
#define STEP WITH_INSTRUCTIONS __attribute__((always_inline)) static inline

enum { GROUPS = 16, SCHEDULE = 4 }; // of four rounds, or words, each

_Alignas(16) static const uint32_t constants[4 * GROUPS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

struct lane {
    __m128i abef, cdgh;
    __m128i words[SCHEDULE];
};

STEP __m128i get_first_abef(void) {
    return _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c);
}

STEP __m128i get_first_cdgh(void) {
    return _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19);
}

STEP void begin(struct lane *lane, const uint8_t *block) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    lane->abef = get_first_abef();
    lane->cdgh = get_first_cdgh();
    for (unsigned i = 0; i < SCHEDULE; i++)
        lane->words[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)block + i), swap);
}

// The next four words in place of the oldest.
STEP void extend(struct lane *lane, unsigned group) {
    __m128i *oldest = &lane->words[group % SCHEDULE];
    __m128i last = lane->words[(group + 3) % SCHEDULE], before = lane->words[(group + 2) % SCHEDULE];
    __m128i sum = _mm_sha256msg1_epu32(*oldest, lane->words[(group + 1) % SCHEDULE]);
    *oldest = _mm_sha256msg2_epu32(_mm_add_epi32(sum, _mm_alignr_epi8(last, before, 4)), last);
}

STEP void run_four_rounds(struct lane *lane, unsigned group) {
    __m128i constant = _mm_load_si128((const __m128i *)constants + group);
    __m128i sum = _mm_add_epi32(lane->words[group % SCHEDULE], constant);
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sum);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

STEP void end(const struct lane *lane, struct digest *ret_digest) {
    const __m128i reverse = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    __m128i abef = _mm_add_epi32(lane->abef, get_first_abef());
    __m128i cdgh = _mm_add_epi32(lane->cdgh, get_first_cdgh());
    __m128i *to = (__m128i *)ret_digest->bytes;
    _mm_storeu_si128(to, _mm_shuffle_epi8(_mm_unpackhi_epi64(cdgh, abef), reverse));
    _mm_storeu_si128(to + 1, _mm_shuffle_epi8(_mm_unpacklo_epi64(cdgh, abef), reverse));
}

WITH_INSTRUCTIONS void sha256_pair_run(const struct sha256_pair *pair, struct digest *const ret_digests[2]) {
    struct lane lanes[2];
    begin(&lanes[0], pair->blocks[0]);
    begin(&lanes[1], pair->blocks[1]);
#pragma GCC unroll 16
    for (unsigned group = 0; group < GROUPS; group++) {
        if (group >= SCHEDULE) {
            extend(&lanes[0], group);
            extend(&lanes[1], group);
        }
        run_four_rounds(&lanes[0], group);
        run_four_rounds(&lanes[1], group);
    }
    end(&lanes[0], ret_digests[0]);
    end(&lanes[1], ret_digests[1]);
}

bool sha256_pair_is_possible(void) {
    return cpu_has_sha256();
}

#else

#include <assert.h>

bool sha256_pair_is_possible(void) {
    return false;
}

void sha256_pair_run(const struct sha256_pair *pair, struct digest *const ret_digests[2]) {
    (void)pair, (void)ret_digests;
    assert(false);
}

#endif
