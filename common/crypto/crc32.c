// Sixteen bytes at a time where the CPU multiplies polynomials: the remainder is carried on to the next
// sixteen by two products with powers of x ("folding"), and reduced at the end as Barrett does.
//
// Elsewhere, and at the end, eight bytes at a time: table k holds the remainder of each byte followed by k
// zero bytes ("slicing by 8"). Remainders are linear, so that each table is written down as those of its
// eight bits and the compiler adds them up.
#include "common/crypto/crc32.h"

#include <stddef.h>

#include "common/crypto/cpu.h"

enum { SLICES = 8 };

#define BIT(i, b, r) ((i) >> (b)&1 ? (r) : 0u)
#define BYTE(i, r0, r1, r2, r3, r4, r5, r6, r7)                                                      \
    (BIT(i, 0, r0) ^ BIT(i, 1, r1) ^ BIT(i, 2, r2) ^ BIT(i, 3, r3) ^ BIT(i, 4, r4) ^ BIT(i, 5, r5) ^ \
     BIT(i, 6, r6) ^ BIT(i, 7, r7))
#define BYTES_4(i, ...) \
    BYTE((i), __VA_ARGS__), BYTE((i) + 1, __VA_ARGS__), BYTE((i) + 2, __VA_ARGS__), BYTE((i) + 3, __VA_ARGS__)
#define BYTES_16(i, ...)                                                                     \
    BYTES_4((i), __VA_ARGS__), BYTES_4((i) + 4, __VA_ARGS__), BYTES_4((i) + 8, __VA_ARGS__), \
        BYTES_4((i) + 12, __VA_ARGS__)
#define BYTES_64(i, ...)                                                                          \
    BYTES_16((i), __VA_ARGS__), BYTES_16((i) + 16, __VA_ARGS__), BYTES_16((i) + 32, __VA_ARGS__), \
        BYTES_16((i) + 48, __VA_ARGS__)
#define TABLE(...)                                                                       \
    {                                                                                    \
        BYTES_64(0, __VA_ARGS__), BYTES_64(64, __VA_ARGS__), BYTES_64(128, __VA_ARGS__), \
            BYTES_64(192, __VA_ARGS__)                                                   \
    }

static const uint32_t tables[SLICES][256] = {
    TABLE(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320),
    TABLE(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b),
    TABLE(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80),
    TABLE(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b),
    TABLE(0x3d6029b0, 0x7ac05360, 0xf580a6c0, 0x30704bc1, 0x60e09782, 0xc1c12f04, 0x58f35849, 0xb1e6b092),
    TABLE(0xcb5cd3a5, 0x4dc8a10b, 0x9b914216, 0xec53826d, 0x03d6029b, 0x07ac0536, 0x0f580a6c, 0x1eb014d8),
    TABLE(0xa6770bb4, 0x979f1129, 0xf44f2413, 0x33ef4e67, 0x67de9cce, 0xcfbd399c, 0x440b7579, 0x8816eaf2),
    TABLE(0xccaa009e, 0x4225077d, 0x844a0efa, 0xd3e51bb5, 0x7cbb312b, 0xf9766256, 0x299dc2ed, 0x533b85da),
};

static uint32_t load_little_endian(const uint8_t *data) {
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static uint32_t add_slice(uint32_t crc, const uint8_t *data) {
    uint32_t first = crc ^ load_little_endian(data), second = load_little_endian(data + 4);
    return tables[7][first & 0xff] ^ tables[6][first >> 8 & 0xff] ^ tables[5][first >> 16 & 0xff] ^
           tables[4][first >> 24] ^ tables[3][second & 0xff] ^ tables[2][second >> 8 & 0xff] ^
           tables[1][second >> 16 & 0xff] ^ tables[0][second >> 24];
}

enum { CHUNK = 16 };

#if defined(__x86_64__)

#include <immintrin.h>

#define STEP __attribute__((target("pclmul,sse4.1"))) static

// Powers of x modulo the polynomial, the polynomial, and x^64 divided by it: bits reversed, shifted by one.
#define X_160 0x1751997d0
#define X_96 0x0ccaa009e
#define X_64 0x163cd6124
#define POLYNOMIAL 0x1db710641
#define QUOTIENT 0x1f7011641

STEP __m128i load(const uint8_t *data) {
    return _mm_loadu_si128((const __m128i *)data);
}

STEP uint32_t reduce(__m128i sum) {
    const __m128i x_96 = _mm_set_epi64x(X_96, 0), x_64 = _mm_set_epi64x(0, X_64);
    const __m128i barrett = _mm_set_epi64x(QUOTIENT, POLYNOMIAL), low = _mm_set_epi32(0, 0, 0, -1);
    sum = _mm_xor_si128(_mm_clmulepi64_si128(sum, x_96, 0x10), _mm_srli_si128(sum, 8));
    sum = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(sum, low), x_64, 0x00), _mm_srli_si128(sum, 4));
    __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, low), barrett, 0x10);
    __m128i product = _mm_clmulepi64_si128(_mm_and_si128(quotient, low), barrett, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(sum, product), 1);
}

// Of whole chunks, one at least.
STEP uint32_t fold(uint32_t crc, struct bytes data) {
    const __m128i powers = _mm_set_epi64x(X_96, X_160);
    __m128i sum = _mm_xor_si128(load(data.data), _mm_cvtsi32_si128((int)crc));
    for (size_t i = CHUNK; i < data.len; i += CHUNK) {
        __m128i low = _mm_clmulepi64_si128(sum, powers, 0x00), high = _mm_clmulepi64_si128(sum, powers, 0x11);
        sum = _mm_xor_si128(_mm_xor_si128(low, high), load(data.data + i));
    }
    return reduce(sum);
}

#else

static uint32_t fold(uint32_t crc, struct bytes data) {
    (void)data;
    return crc;
}

#endif

uint32_t crc32_compute(struct bytes data) {
    uint32_t crc = UINT32_MAX;
    size_t i = data.len >= CHUNK && cpu_has_carryless_multiply() ? data.len - data.len % CHUNK : 0;
    if (i > 0)
        crc = fold(crc, bytes_of(data.data, i));
    for (; data.len - i >= SLICES; i += SLICES)
        crc = add_slice(crc, data.data + i);
    for (; i < data.len; i++)
        crc = crc >> 8 ^ tables[0][(crc ^ data.data[i]) & 0xff];
    return ~crc;
}
