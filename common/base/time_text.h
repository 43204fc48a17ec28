// Times as people and programs write them: RFC 3339.
#ifndef LATCHKEY_COMMON_BASE_TIME_TEXT_H
#define LATCHKEY_COMMON_BASE_TIME_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

// "2027-01-31T18:00:00.123Z"; years 0001 to 9999.
#define TIME_TEXT_MAX 24

// "2027-01-31T18:00:00Z", with or without a fraction, with Z or an offset (+02:00), or a date alone, which
// means its midnight in UTC. Years 0001 to 9999. False, and `*ret_ms` untouched, for anything else.
MUST_CHECK bool time_text_parse(struct bytes text, int64_t *ret_ms);

// In UTC, with milliseconds only where they are not zero. "" for a year that RFC 3339 can't write.
void time_text_format(int64_t ms, char ret_text[TIME_TEXT_MAX + 1]);

// "2027-01-31 18:00 UTC", for people. "" as above.
#define TIME_TEXT_MINUTE_MAX 20
void time_text_format_minute(int64_t ms, char ret_text[TIME_TEXT_MINUTE_MAX + 1]);

// "30s", "1h 30m" or "12ms": the two largest units, for people.
#define TIME_TEXT_SPAN_MAX 40
void time_text_format_span(int64_t ms, char ret_text[TIME_TEXT_SPAN_MAX + 1]);

#endif
