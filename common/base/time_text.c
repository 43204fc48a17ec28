#include "common/base/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define MS_PER_SECOND 1000
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define DATE_LENGTH 10
#define SECOND_LENGTH 19 // "2027-01-31T18:00:00"
#define YEAR_MIN 1
#define YEAR_MAX 9999

// Digits at a fixed place, at most four; -1 if there is anything else.
static int read_digits(struct bytes text, size_t at, size_t count) {
    int value = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= text.len || text.data[i] < '0' || text.data[i] > '9')
            return -1;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

static bool has(struct bytes text, size_t at, char expected) {
    return at < text.len && text.data[at] == (uint8_t)expected;
}

// Rejects what timegm() would correct, such as the 30th of February.
static bool to_ms(struct tm broken_down, int64_t *ret_ms) {
    struct tm corrected = broken_down;
    time_t seconds = timegm(&corrected);
    if (corrected.tm_mday != broken_down.tm_mday || corrected.tm_mon != broken_down.tm_mon ||
        corrected.tm_hour != broken_down.tm_hour || corrected.tm_min != broken_down.tm_min ||
        corrected.tm_sec != broken_down.tm_sec || broken_down.tm_year + 1900 < YEAR_MIN)
        return false;
    *ret_ms = (int64_t)seconds * MS_PER_SECOND;
    return true;
}

// ".123" and more digits, of which three count. Moves *at behind it.
static bool read_fraction(struct bytes text, size_t *at, int64_t *ret_ms) {
    *ret_ms = 0;
    if (!has(text, *at, '.'))
        return true;
    size_t first = ++*at;
    for (int64_t weight = 100; read_digits(text, *at, 1) >= 0; ++*at, weight /= 10)
        *ret_ms += weight * read_digits(text, *at, 1);
    return *at > first;
}

// "Z" or "+02:00", to the end of the text.
static bool read_offset(struct bytes text, size_t at, int64_t *ret_ms) {
    *ret_ms = 0;
    if (has(text, at, 'Z') || has(text, at, 'z'))
        return at + 1 == text.len;
    bool is_negative = has(text, at, '-');
    int hours = read_digits(text, at + 1, 2), minutes = read_digits(text, at + 4, 2);
    if ((!is_negative && !has(text, at, '+')) || !has(text, at + 3, ':') || at + 6 != text.len || hours < 0 ||
        hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret_ms = (hours * 60 + minutes) * (is_negative ? -MS_PER_MINUTE : MS_PER_MINUTE);
    return true;
}

bool time_text_parse(struct bytes text, int64_t *ret_ms) {
    struct tm date = {.tm_year = read_digits(text, 0, 4) - 1900,
                      .tm_mon = read_digits(text, 5, 2) - 1,
                      .tm_mday = read_digits(text, 8, 2)};
    int64_t ms, fraction_ms, offset_ms;
    if (!has(text, 4, '-') || !has(text, 7, '-'))
        return false;
    if (text.len == DATE_LENGTH)
        return to_ms(date, ret_ms);
    date.tm_hour = read_digits(text, 11, 2);
    date.tm_min = read_digits(text, 14, 2);
    date.tm_sec = read_digits(text, 17, 2);
    if (!(has(text, 10, 'T') || has(text, 10, 't') || has(text, 10, ' ')) || !has(text, 13, ':') ||
        !has(text, 16, ':') || !to_ms(date, &ms))
        return false;
    size_t at = SECOND_LENGTH;
    if (!read_fraction(text, &at, &fraction_ms) || !read_offset(text, at, &offset_ms))
        return false;
    *ret_ms = ms + fraction_ms - offset_ms;
    return true;
}

// Rounded down, also before 1970. False for a year that can't be written.
static bool break_down(int64_t ms, struct tm *ret_utc) {
    time_t seconds = (time_t)(ms / MS_PER_SECOND) - (ms % MS_PER_SECOND < 0);
    return gmtime_r(&seconds, ret_utc) && ret_utc->tm_year + 1900 >= YEAR_MIN &&
           ret_utc->tm_year + 1900 <= YEAR_MAX;
}

void time_text_format(int64_t ms, char ret_text[TIME_TEXT_MAX + 1]) {
    int64_t part_ms = ((ms % MS_PER_SECOND) + MS_PER_SECOND) % MS_PER_SECOND;
    struct tm utc;
    ret_text[0] = '\0';
    if (!break_down(ms, &utc))
        return;
    // The remainders say to the compiler, too, that each number has the digits it is given.
    int length = snprintf(ret_text, TIME_TEXT_MAX + 1, "%04u-%02u-%02uT%02u:%02u:%02u",
                          (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
                          (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100,
                          (unsigned)utc.tm_min % 100, (unsigned)utc.tm_sec % 100);
    if (part_ms != 0)
        length += snprintf(ret_text + length, TIME_TEXT_MAX + 1 - (size_t)length, ".%03u",
                           (unsigned)part_ms % 1000);
    snprintf(ret_text + length, TIME_TEXT_MAX + 1 - (size_t)length, "Z");
}

void time_text_format_minute(int64_t ms, char ret_text[TIME_TEXT_MINUTE_MAX + 1]) {
    struct tm utc;
    ret_text[0] = '\0';
    if (break_down(ms, &utc)) // the remainders as above
        snprintf(ret_text, TIME_TEXT_MINUTE_MAX + 1, "%04u-%02u-%02u %02u:%02u UTC",
                 (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
                 (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100, (unsigned)utc.tm_min % 100);
}

void time_text_format_span(int64_t ms, char ret_text[TIME_TEXT_SPAN_MAX + 1]) {
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"d", 24LL * 60 * MS_PER_MINUTE},
                 {"h", 60 * MS_PER_MINUTE},
                 {"m", MS_PER_MINUTE},
                 {"s", MS_PER_SECOND},
                 {"ms", 1},
                 {NULL, 0}};
    size_t unit = 0;
    while (units[unit].ms > 1 && ms < units[unit].ms)
        unit++;
    int64_t whole = ms / units[unit].ms, rest = ms % units[unit].ms;
    int length = snprintf(ret_text, TIME_TEXT_SPAN_MAX + 1, "%" PRId64 "%s", whole, units[unit].unit);
    if (units[unit + 1].unit && rest / units[unit + 1].ms > 0)
        snprintf(ret_text + length, TIME_TEXT_SPAN_MAX + 1 - (size_t)length, " %" PRId64 "%s",
                 rest / units[unit + 1].ms, units[unit + 1].unit);
}
