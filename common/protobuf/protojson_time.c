// Calendar and offsets are time_text's, which counts milliseconds; what stands behind the point is read and
// written here.
#include "common/protobuf/protojson_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/time_text.h"

#define MS_PER_SECOND 1000
#define NANOS_MAX 999999999
#define NANOS_DIGITS 9
#define SECOND_LENGTH 19 // "2027-01-31T18:00:00"
#define OFFSET_LENGTH_MAX 6

// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
#define SECONDS_MIN INT64_C(-62135596800)
#define SECONDS_MAX INT64_C(253402300799)
#define SPAN_SECONDS_MAX INT64_C(315576000000) // 10 000 years

// ".5" at the start of `rest`, which moves behind it: one to nine digits; 0 where there is no point.
static bool take_fraction(struct bytes *rest, int32_t *ret_nanos) {
    *ret_nanos = 0;
    if (rest->len == 0 || rest->data[0] != '.')
        return true;
    size_t digits = 0;
    int32_t weight = (NANOS_MAX + 1) / 10;
    for (; digits + 1 < rest->len && rest->data[digits + 1] >= '0' && rest->data[digits + 1] <= '9';
         digits++) {
        *ret_nanos += (rest->data[digits + 1] - '0') * weight;
        weight /= 10;
    }
    *rest = bytes_of(rest->data + 1 + digits, rest->len - 1 - digits);
    return digits > 0 && digits <= NANOS_DIGITS;
}

bool protojson_time_parse(struct bytes text, struct protojson_span *ret_time) {
    uint8_t whole[SECOND_LENGTH + OFFSET_LENGTH_MAX];
    int32_t nanos;
    int64_t ms;
    if (text.len < SECOND_LENGTH || text.data[SECOND_LENGTH - 9] != 'T')
        return false;
    struct bytes rest = bytes_of(text.data + SECOND_LENGTH, text.len - SECOND_LENGTH);
    if (!take_fraction(&rest, &nanos) || rest.len == 0 || rest.len > OFFSET_LENGTH_MAX || rest.data[0] == 'z')
        return false;
    memcpy(whole, text.data, SECOND_LENGTH);
    memcpy(whole + SECOND_LENGTH, rest.data, rest.len);
    if (!time_text_parse(bytes_of(whole, SECOND_LENGTH + rest.len), &ms))
        return false;
    int64_t seconds = ms / MS_PER_SECOND;
    if (seconds < SECONDS_MIN || seconds > SECONDS_MAX)
        return false;
    *ret_time = (struct protojson_span){seconds, nanos};
    return true;
}

bool protojson_time_parse_duration(struct bytes text, struct protojson_span *ret_duration) {
    bool is_negative = bytes_has_prefix(text, BYTES_LITERAL("-"));
    struct bytes rest = bytes_of(text.data + is_negative, text.len - is_negative), digits = rest;
    uint64_t seconds;
    int32_t nanos;
    for (digits.len = 0;
         digits.len < rest.len && rest.data[digits.len] >= '0' && rest.data[digits.len] <= '9';)
        digits.len++;
    rest = bytes_of(rest.data + digits.len, rest.len - digits.len);
    if (!bytes_parse_unsigned(digits, SPAN_SECONDS_MAX, &seconds) || !take_fraction(&rest, &nanos) ||
        !bytes_is_text(rest, "s"))
        return false;
    int64_t sign = is_negative ? -1 : 1;
    *ret_duration = (struct protojson_span){sign * (int64_t)seconds, (int32_t)sign * nanos};
    return true;
}

// Appends ".5" as ".500", nothing for 0, and `suffix`.
static size_t end(char *text, int length, int32_t nanos, const char *suffix) {
    int digits = nanos % 1000 ? 9 : nanos % 1000000 ? 6 : 3;
    char all[NANOS_DIGITS + 1];
    snprintf(all, sizeof(all), "%09u", (unsigned)nanos % (NANOS_MAX + 1u));
    size_t room = PROTOJSON_TIME_TEXT_MAX + 1 - (size_t)length;
    if (nanos == 0)
        return (size_t)length + (size_t)snprintf(text + length, room, "%s", suffix);
    return (size_t)length + (size_t)snprintf(text + length, room, ".%.*s%s", digits, all, suffix);
}

size_t protojson_time_format(struct protojson_span time, char ret_text[PROTOJSON_TIME_TEXT_MAX + 1]) {
    if (time.seconds < SECONDS_MIN || time.seconds > SECONDS_MAX || time.nanos < 0 || time.nanos > NANOS_MAX)
        return 0;
    time_text_format(time.seconds * MS_PER_SECOND, ret_text);
    return end(ret_text, SECOND_LENGTH, time.nanos, "Z");
}

size_t protojson_time_format_duration(struct protojson_span duration,
                                      char ret_text[PROTOJSON_TIME_TEXT_MAX + 1]) {
    int64_t seconds = duration.seconds;
    int32_t nanos = duration.nanos;
    if (seconds < -SPAN_SECONDS_MAX || seconds > SPAN_SECONDS_MAX || nanos < -NANOS_MAX ||
        nanos > NANOS_MAX || (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))
        return 0;
    int length = snprintf(ret_text, PROTOJSON_TIME_TEXT_MAX + 1, "%s%" PRId64,
                          seconds < 0 || nanos < 0 ? "-" : "", (int64_t)llabs(seconds));
    return end(ret_text, length, abs(nanos), "s");
}
