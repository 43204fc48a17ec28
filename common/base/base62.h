// Base62 with the alphabet 0-9 A-Z a-z: fixed width, most significant digit first.
#ifndef LATCHKEY_COMMON_BASE_BASE62_H
#define LATCHKEY_COMMON_BASE_BASE62_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

// 62^43 > 2^256 > 62^42, 62^6 > 2^32 > 62^5.
#define BASE62_LENGTH_256 43
#define BASE62_LENGTH_32 6

bool base62_is_digit(uint8_t character);

// Digits only, at least one; looks at all of them wherever one is wrong.
bool base62_is_number(struct bytes text);

// Writes exactly `width` characters, zero-padded, no NUL. The value must fit.
void base62_encode_u32(uint32_t value, char *ret_text, unsigned width);
void base62_encode_256(const uint8_t value[32], char ret_text[BASE62_LENGTH_256]);

// False for another character or a value that does not fit.
MUST_CHECK bool base62_decode_u32(struct bytes text, uint32_t *ret_value);
MUST_CHECK bool base62_decode_256(struct bytes text, uint8_t ret_value[32]);

#endif
