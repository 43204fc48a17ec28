// google.protobuf.Timestamp and Duration as milliseconds, checked: a peer may send seconds and nanos that are
// no time at all. For code that knows the generated types; field.h has the same without them.
#ifndef LATCHKEY_COMMON_PROTOBUF_TIMESTAMP_H
#define LATCHKEY_COMMON_PROTOBUF_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

// Rounded down; `unset_ms` for NULL. False, and `*ret_ms` untouched, for anything that is not a moment from
// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z, the range that the type is defined for.
MUST_CHECK bool timestamp_get_ms(const Google__Protobuf__Timestamp *timestamp, int64_t unset_ms,
                                 int64_t *ret_ms);

// Rounded towards zero; 0 for NULL. False for nanos of another sign than the seconds, or a span of more than
// 10 000 years.
MUST_CHECK bool duration_get_ms(const Google__Protobuf__Duration *duration, int64_t *ret_ms);

// In nanoseconds; `else_ns` for NULL, and for what is no span of 0 to INT32_MAX seconds.
uint64_t duration_get_ns(const Google__Protobuf__Duration *duration, uint64_t else_ns);

// Fills the caller's memory and returns it, as a message wants it; NULL, unset, for CLOCK_NEVER_MS and
// CLOCK_ALWAYS_MS.
Google__Protobuf__Timestamp *timestamp_fill(Google__Protobuf__Timestamp *memory, int64_t ms);

// The same; NULL for 0.
Google__Protobuf__Duration *duration_fill(Google__Protobuf__Duration *memory, int64_t ms);

#endif
