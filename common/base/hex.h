// Bytes as hexadecimal digits: how digests stand in texts.
#ifndef LATCHKEY_COMMON_BASE_HEX_H
#define LATCHKEY_COMMON_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

// Lower case, NUL-terminated; `ret_text` has room for 2 * bytes.len + 1.
void hex_format(struct bytes bytes, char *ret_text);

// Exactly 2 * `len` digits of either case. False, with `ret_bytes` undefined, for anything else.
MUST_CHECK bool hex_parse(struct bytes text, uint8_t *ret_bytes, size_t len);

#endif
