// google.protobuf.Timestamp and Duration as text, to the nanosecond: "2027-01-31T18:00:00.5Z" and "1.5s".
// Written with 0, 3, 6 or 9 digits behind the point.
#ifndef LATCHKEY_COMMON_PROTOBUF_PROTOJSON_TIME_H
#define LATCHKEY_COMMON_PROTOBUF_PROTOJSON_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

struct protojson_span {
    int64_t seconds;
    int32_t nanos; // of a time never negative; of a duration with the sign of the seconds
};

// RFC 3339 as it stands, with capital T and Z or an offset; the years 1 to 9999 in UTC.
MUST_CHECK bool protojson_time_parse(struct bytes text, struct protojson_span *ret_time);
MUST_CHECK bool protojson_time_parse_duration(struct bytes text, struct protojson_span *ret_duration);

// Return the length; 0 for what is no time or no duration: out of range, or of two signs.
#define PROTOJSON_TIME_TEXT_MAX 40
size_t protojson_time_format(struct protojson_span time, char ret_text[PROTOJSON_TIME_TEXT_MAX + 1]);
size_t protojson_time_format_duration(struct protojson_span duration,
                                      char ret_text[PROTOJSON_TIME_TEXT_MAX + 1]);

#endif
