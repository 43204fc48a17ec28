// Times as the command line reads and writes them, against a table and against the C library.
#include <string.h>
#include <time.h>

#include "common/base/time_text.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define DAY_MS INT64_C(86400000)

static const struct {
    const char *text;
    int64_t ms;
} good[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01", 0},
    {"1970-01-02", DAY_MS},
    {"1969-12-31T23:59:59Z", -1000},
    {"2027-01-31T18:00:00Z", INT64_C(1801418400000)},
    {"2027-01-31t18:00:00z", INT64_C(1801418400000)},
    {"2027-01-31 18:00:00Z", INT64_C(1801418400000)},
    {"2027-01-31T20:00:00+02:00", INT64_C(1801418400000)},
    {"2027-01-31T12:30:00-05:30", INT64_C(1801418400000)},
    {"2027-01-31T18:00:00.5Z", INT64_C(1801418400500)},
    {"2027-01-31T18:00:00.0429999Z", INT64_C(1801418400042)},
    {"2028-02-29", INT64_C(1835395200000)},
};

static const char *const bad[] = {
    "",
    "2027",
    "2027-01",
    "2027-1-31",
    "27-01-31",
    "2027/01/31",
    "2027-01-31T18:00:00",
    "2027-01-31T18:00Z",
    "2027-01-31T18:00:00.Z",
    "2027-01-31T18:00:00 Z",
    "2027-01-31T18:00:00Zz",
    "2027-01-31T18:00:00+0200",
    "2027-01-31T18:00:00+24:00",
    "2027-01-31T18:00:00+02:60",
    "2027-01-31T18:00:00*02:00",
    "2027-02-29",
    "2027-02-30T00:00:00Z",
    "2027-13-01",
    "2027-00-01",
    "2027-01-00",
    "2027-01-32",
    "2027-01-31T24:00:00Z",
    "2027-01-31T18:60:00Z",
    "2027-01-31T18:00:60Z",
    "0000-01-01",
    "2027-01-31x18:00:00Z",
    "tomorrow",
};

static void every_form_of_a_time_is_read(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        int64_t ms = 1;
        if (!time_text_parse(bytes_of_text(good[i].text), &ms) || ms != good[i].ms)
            fail_msg("%s is read as %lld", good[i].text, (long long)ms);
    }
}

static void anything_else_is_refused_and_nothing_stored(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        int64_t ms = 42;
        if (time_text_parse(bytes_of_text(bad[i]), &ms) || ms != 42)
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

static void a_time_cut_short_anywhere_is_refused(void **state) {
    (void)state;
    static const char text[] = "2027-01-31T18:00:00.125+02:00";
    int64_t ms;
    for (size_t len = 0; len < strlen(text); len++)
        assert_int_equal(time_text_parse(bytes_of(text, len), &ms), len == 10); // the date alone
}

static void what_is_written_is_what_the_c_library_writes_and_is_read_back(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (int i = 0; i < 20000; i++) {
        int64_t ms = (int64_t)seed_next_below(&seed, UINT64_C(253402300800000)), read = -1;
        char text[TIME_TEXT_MAX + 1], expected[TIME_TEXT_MAX + 1];
        time_t seconds = (time_t)(ms / 1000);
        struct tm utc;
        gmtime_r(&seconds, &utc);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &utc);
        time_text_format(ms, text);
        assert_memory_equal(text, expected, strlen(expected));
        assert_true(time_text_parse(bytes_of_text(text), &read));
        assert_true(read == ms);
    }
}

static void milliseconds_are_written_only_where_there_are_some(void **state) {
    (void)state;
    char text[TIME_TEXT_MAX + 1];
    time_text_format(INT64_C(1801418400000), text);
    assert_string_equal(text, "2027-01-31T18:00:00Z");
    time_text_format(INT64_C(1801418400007), text);
    assert_string_equal(text, "2027-01-31T18:00:00.007Z");
    time_text_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    time_text_format(INT64_MAX, text);
    assert_string_equal(text, "");
    time_text_format(INT64_MIN, text);
    assert_string_equal(text, "");
}

static void for_people_a_time_is_written_to_the_minute(void **state) {
    (void)state;
    char text[TIME_TEXT_MINUTE_MAX + 1];
    time_text_format_minute(INT64_C(1801418459999), text);
    assert_string_equal(text, "2027-01-31 18:00 UTC");
    time_text_format_minute(-1, text);
    assert_string_equal(text, "1969-12-31 23:59 UTC");
    time_text_format_minute(INT64_C(-62135596800000), text);
    assert_string_equal(text, "0001-01-01 00:00 UTC");
    time_text_format_minute(INT64_MAX, text);
    assert_string_equal(text, "");
}

static void a_span_is_written_in_its_two_largest_units(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } spans[] = {{0, "0ms"},         {999, "999ms"},      {1000, "1s"},
                 {1500, "1s 500ms"}, {90000, "1m 30s"},   {3600000, "1h"},
                 {3601000, "1h"},    {5400000, "1h 30m"}, {30 * DAY_MS, "30d"},
                 {DAY_MS + 1, "1d"}, {259200000, "3d"},   {INT64_MAX, "106751991167d 7h"}};
    char text[TIME_TEXT_SPAN_MAX + 1];
    for (size_t i = 0; i < ARRAY_LENGTH(spans); i++) {
        time_text_format_span(spans[i].ms, text);
        assert_string_equal(text, spans[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_time_is_read),
        cmocka_unit_test(anything_else_is_refused_and_nothing_stored),
        cmocka_unit_test(a_time_cut_short_anywhere_is_refused),
        cmocka_unit_test(what_is_written_is_what_the_c_library_writes_and_is_read_back),
        cmocka_unit_test(milliseconds_are_written_only_where_there_are_some),
        cmocka_unit_test(for_people_a_time_is_written_to_the_minute),
        cmocka_unit_test(a_span_is_written_in_its_two_largest_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
