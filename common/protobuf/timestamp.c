#include "common/protobuf/timestamp.h"

#include <stddef.h>

#include "common/base/clock.h"

#define MS_PER_SECOND 1000
#define NS_PER_MS 1000000
#define NANOS_MAX 999999999

// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, and what lies between them.
#define SECONDS_MIN INT64_C(-62135596800)
#define SECONDS_MAX INT64_C(253402300799)
#define SPAN_SECONDS_MAX INT64_C(315576000000)

bool timestamp_get_ms(const Google__Protobuf__Timestamp *timestamp, int64_t unset_ms, int64_t *ret_ms) {
    if (!timestamp) {
        *ret_ms = unset_ms;
        return true;
    }
    if (timestamp->seconds < SECONDS_MIN || timestamp->seconds > SECONDS_MAX || timestamp->nanos < 0 ||
        timestamp->nanos > NANOS_MAX)
        return false;
    *ret_ms = timestamp->seconds * MS_PER_SECOND + timestamp->nanos / NS_PER_MS;
    return true;
}

bool duration_get_ms(const Google__Protobuf__Duration *duration, int64_t *ret_ms) {
    if (!duration) {
        *ret_ms = 0;
        return true;
    }
    int64_t seconds = duration->seconds;
    int32_t nanos = duration->nanos;
    if (seconds < -SPAN_SECONDS_MAX || seconds > SPAN_SECONDS_MAX || nanos < -NANOS_MAX || nanos > NANOS_MAX)
        return false;
    if ((seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))
        return false;
    *ret_ms = seconds * MS_PER_SECOND + nanos / NS_PER_MS;
    return true;
}

uint64_t duration_get_ns(const Google__Protobuf__Duration *duration, uint64_t else_ns) {
    if (!duration || duration->seconds < 0 || duration->seconds > INT32_MAX || duration->nanos < 0)
        return else_ns;
    return (uint64_t)duration->seconds * UINT64_C(1000000000) + (uint64_t)duration->nanos;
}

Google__Protobuf__Timestamp *timestamp_fill(Google__Protobuf__Timestamp *memory, int64_t ms) {
    if (ms == CLOCK_NEVER_MS || ms == CLOCK_ALWAYS_MS)
        return NULL;
    google__protobuf__timestamp__init(memory);
    int64_t rest_ms = ms % MS_PER_SECOND;
    if (rest_ms < 0)
        rest_ms += MS_PER_SECOND;
    memory->seconds = (ms - rest_ms) / MS_PER_SECOND;
    memory->nanos = (int32_t)rest_ms * NS_PER_MS;
    return memory;
}

Google__Protobuf__Duration *duration_fill(Google__Protobuf__Duration *memory, int64_t ms) {
    if (ms == 0)
        return NULL;
    google__protobuf__duration__init(memory);
    memory->seconds = ms / MS_PER_SECOND;
    memory->nanos = (int32_t)(ms % MS_PER_SECOND) * NS_PER_MS;
    return memory;
}
