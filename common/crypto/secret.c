// The text is checked as text: digits of base62 are in ASCII order, so that the largest number that fits 256
// bits is also the largest text, and nothing need be decoded on the way to the digest.
#include "common/crypto/secret.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <string.h>

#include "common/base/base62.h"
#include "common/base/random.h"
#include "common/crypto/crc32.h"

enum {
    KIND_AT = SECRET_BRAND_LENGTH,
    SEPARATOR_AT,
    LANE_AT,
    LANE_LENGTH = 2,
    RANDOM_AT = LANE_AT + LANE_LENGTH,
    CHECKSUM_AT = RANDOM_AT + BASE62_LENGTH_256,
    HINT_PREFIX_LENGTH = LANE_AT,
    HINT_END_LENGTH = 4,
};

static_assert(CHECKSUM_AT + BASE62_LENGTH_32 == SECRET_LENGTH, "the parts make up the whole");

static const char ellipsis[] = "\xe2\x80\xa6";
static_assert(HINT_PREFIX_LENGTH + sizeof(ellipsis) - 1 + HINT_END_LENGTH == SECRET_HINT_LENGTH,
              "the hint fits");

// 2^256 - 1.
static const char largest_random[] = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
static_assert(sizeof(largest_random) - 1 == BASE62_LENGTH_256, "43 digits");

static bool is_kind(uint8_t character) {
    return character == SECRET_ACCESS || character == SECRET_LOGIN || character == SECRET_INVITATION;
}

bool secret_brand_is_valid(struct bytes brand) {
    if (brand.len != SECRET_BRAND_LENGTH)
        return false;
    for (size_t i = 0; i < brand.len; i++)
        if (brand.data[i] < 'a' || brand.data[i] > 'z')
            return false;
    return true;
}

static uint32_t compute_checksum(const void *text) {
    return crc32_compute(bytes_of(text, CHECKSUM_AT));
}

void secret_new(const char *brand, enum secret_kind kind, unsigned lane, struct secret *ret_secret) {
    assert(secret_brand_is_valid(bytes_of_text(brand)));
    assert(is_kind((uint8_t)kind) && lane < SECRET_LANE_COUNT);
    char *text = ret_secret->text;
    memcpy(text, brand, SECRET_BRAND_LENGTH);
    text[KIND_AT] = (char)kind;
    text[SEPARATOR_AT] = '_';
    base62_encode_u32(lane, text + LANE_AT, LANE_LENGTH);

    uint8_t random[32];
    random_fill(random, sizeof(random));
    base62_encode_256(random, text + RANDOM_AT);
    secret_wipe(random, sizeof(random));

    base62_encode_u32(compute_checksum(text), text + CHECKSUM_AT, BASE62_LENGTH_32);
    text[SECRET_LENGTH] = '\0';
}

static bool has_shape(const uint8_t *text, const char *brand) {
    if (memcmp(text, brand, SECRET_BRAND_LENGTH) != 0 || !is_kind(text[KIND_AT]) || text[SEPARATOR_AT] != '_')
        return false;
    return base62_is_number(bytes_of(text + RANDOM_AT, BASE62_LENGTH_256)) &&
           memcmp(text + RANDOM_AT, largest_random, BASE62_LENGTH_256) <= 0;
}

bool secret_check(struct bytes text, const char *brand, enum secret_kind *ret_kind, unsigned *ret_lane) {
    uint32_t lane, checksum;
    if (text.len != SECRET_LENGTH || !has_shape(text.data, brand))
        return false;
    if (!base62_decode_u32(bytes_of(text.data + LANE_AT, LANE_LENGTH), &lane) || lane >= SECRET_LANE_COUNT)
        return false;
    if (!base62_decode_u32(bytes_of(text.data + CHECKSUM_AT, BASE62_LENGTH_32), &checksum) ||
        checksum != compute_checksum(text.data))
        return false;
    if (ret_kind)
        *ret_kind = text.data[KIND_AT];
    if (ret_lane)
        *ret_lane = lane;
    return true;
}

void secret_get_hint(struct bytes text, char ret_hint[SECRET_HINT_LENGTH + 1]) {
    assert(text.len == SECRET_LENGTH);
    char *end = ret_hint;
    memcpy(end, text.data, HINT_PREFIX_LENGTH);
    end += HINT_PREFIX_LENGTH;
    memcpy(end, ellipsis, sizeof(ellipsis) - 1);
    end += sizeof(ellipsis) - 1;
    memcpy(end, text.data + SECRET_LENGTH - HINT_END_LENGTH, HINT_END_LENGTH);
    end[HINT_END_LENGTH] = '\0';
}

void secret_wipe(void *data, size_t len) {
    OPENSSL_cleanse(data, len);
}
