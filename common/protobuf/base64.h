// Base64 (RFC 4648, standard alphabet) as gRPC's "-bin" metadata has it: written without padding, read with
// or without. And as ProtoJSON has it, which writes padding and reads whatever is meant.
#ifndef LATCHKEY_COMMON_PROTOBUF_BASE64_H
#define LATCHKEY_COMMON_PROTOBUF_BASE64_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// In `arena`; data NULL when out of memory.
struct bytes base64_encode(struct arena *arena, struct bytes from);

// Exactly base64_measure_padded() characters, padding included.
void base64_write_padded(struct bytes from, uint8_t *to);
static inline size_t base64_measure_padded(size_t len) {
    return (len + 2) / 3 * 4;
}

// INVALID for another alphabet, wrong length or padding, or bits left over; NO_MEMORY.
MUST_CHECK enum status base64_decode(struct arena *arena, struct bytes from, struct bytes *ret_bytes);

// Also the alphabet with - and _ in place of + and /, and any bits left over.
MUST_CHECK enum status base64_decode_any(struct arena *arena, struct bytes from, struct bytes *ret_bytes);

#endif
