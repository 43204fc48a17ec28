// UUIDs as 16 bytes in network order. New ones are version 7 (RFC 9562): milliseconds since 1970 first, so
// that they sort by time, then a counter within the millisecond and randomness.
#ifndef LATCHKEY_COMMON_BASE_UUID_H
#define LATCHKEY_COMMON_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"

#define UUID_TEXT_LENGTH 36

struct uuid {
    uint8_t bytes[16];
};

// Thread-safe; strictly increasing within one process.
struct uuid uuid_new(const struct clock *clock);

static inline bool uuid_is_equal(struct uuid a, struct uuid b) {
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

static inline bool uuid_is_zero(struct uuid a) {
    return uuid_is_equal(a, (struct uuid){{0}});
}

// The 8-4-4-4-12 form, lower case when written, either case when read.
void uuid_format(struct uuid uuid, char ret_text[UUID_TEXT_LENGTH + 1]);
MUST_CHECK bool uuid_parse(struct bytes text, struct uuid *ret_uuid);

#endif
