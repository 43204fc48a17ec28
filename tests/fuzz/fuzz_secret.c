// Any bytes as a secret, as they are and with the checksum put right, so that the fuzzer gets past it: what
// is accepted is a number of 256 bits and a lane, and nothing else is.
#include <assert.h>

#include "common/base/base62.h"
#include "common/crypto/crc32.h"
#include "common/crypto/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_LENGTH = SECRET_LENGTH - BASE62_LENGTH_32, LANE_AT = 4, RANDOM_AT = 6 };

// By numbers, where the product compares texts.
static bool is_well_made(const char *text) {
    uint32_t lane;
    uint8_t random[32];
    return memcmp(text, "lk", 2) == 0 && memchr("ali", text[2], 3) && text[3] == '_' &&
           base62_decode_u32(bytes_of(text + LANE_AT, 2), &lane) && lane < SECRET_LANE_COUNT &&
           base62_decode_256(bytes_of(text + RANDOM_AT, BASE62_LENGTH_256), random);
}

static void check_with_checksum(const uint8_t *head) {
    char text[SECRET_LENGTH], hint[SECRET_HINT_LENGTH + 1];
    enum secret_kind kind;
    unsigned lane;
    memcpy(text, head, HEAD_LENGTH);
    base62_encode_u32(crc32_compute(bytes_of(head, HEAD_LENGTH)), text + HEAD_LENGTH, BASE62_LENGTH_32);
    struct bytes whole = bytes_of(text, sizeof(text));
    bool is_accepted = secret_check(whole, "lk", &kind, &lane);
    assert(is_accepted == is_well_made(text));
    if (!is_accepted)
        return;
    assert(kind == (enum secret_kind)text[2] && lane < SECRET_LANE_COUNT);
    secret_get_hint(whole, hint);
    assert(strlen(hint) == SECRET_HINT_LENGTH);
    text[SECRET_LENGTH - 1] = text[SECRET_LENGTH - 1] == '0' ? '1' : '0';
    assert(!secret_check(whole, "lk", NULL, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bool is_accepted = secret_check(bytes_of(data, size), "lk", NULL, NULL);
    assert(!is_accepted || (size == SECRET_LENGTH && is_well_made((const char *)data)));
    if (size >= HEAD_LENGTH)
        check_with_checksum(data);
    return 0;
}
