// Secrets as people hold them, 55 bytes, the most that fits one SHA-256 block:
//
//     lk a _ 0K <43 base62 characters: 256 random bits> <6 base62 characters: CRC32 of all before>
//     |  |   lane of the company, 0..63, so that a proxy can route by prefix
//     |  kind
//     brand, a setting
//
// The checksum is no secret: it turns typing errors and scanners away before anything is looked up. What is
// stored is the SHA-256 of all 55 bytes.
#ifndef LATCHKEY_COMMON_CRYPTO_SECRET_H
#define LATCHKEY_COMMON_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

#define SECRET_LENGTH 55
#define SECRET_BRAND_LENGTH 2
#define SECRET_LANE_COUNT 64
// "lka_", an ellipsis (three bytes of UTF-8), four characters.
#define SECRET_HINT_LENGTH 11

enum secret_kind { SECRET_KIND_NONE = 0, SECRET_ACCESS = 'a', SECRET_LOGIN = 'l', SECRET_INVITATION = 'i' };

// NUL-terminated. Wipe it when the answer has been sent.
struct secret {
    char text[SECRET_LENGTH + 1];
};

// Two letters a-z.
bool secret_brand_is_valid(struct bytes brand);

// A new secret from the kernel's randomness. `brand` is valid, `lane` below SECRET_LANE_COUNT.
void secret_new(const char *brand, enum secret_kind kind, unsigned lane, struct secret *ret_secret);

// Length, brand, kind, lane, alphabet, range and checksum; looks nothing up. False, and `ret_` untouched, if
// any is wrong. Both `ret_` may be NULL.
MUST_CHECK bool secret_check(struct bytes text, const char *brand, enum secret_kind *ret_kind,
                             unsigned *ret_lane);

// Prefix and last four characters, "lka_…x9Qz", for lists of secrets. `text` has passed secret_check().
void secret_get_hint(struct bytes text, char ret_hint[SECRET_HINT_LENGTH + 1]);

// Zeroes memory in a way that the compiler keeps.
void secret_wipe(void *data, size_t len);

#endif
