// Revisions: opaque text that comes back exactly, and nothing else is one.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/app/revision.h"
#include "tests/unit/unit.h"

static void every_lane_and_the_extremes_come_back(void **state) {
    (void)state;
    static const int64_t values[] = {0, 1, 255, INT64_C(1) << 40, INT64_MAX};
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
            struct revision revision = {(uint8_t)lane, values[i], -values[i]}, back = {0};
            char text[REVISION_TEXT_LENGTH + 1];
            revision_format(revision, text);
            assert_int_equal(strlen(text), REVISION_TEXT_LENGTH);
            assert_true(revision_parse(bytes_of_text(text), &back));
            assert_int_equal(back.lane, revision.lane);
            assert_int_equal(back.seq, revision.seq);
            assert_int_equal(back.mark, revision.mark);
        }
    }
}

static void whatever_parses_is_what_would_be_written(void **state) {
    (void)state;
    char text[REVISION_TEXT_LENGTH + 1], changed[REVISION_TEXT_LENGTH + 1];
    revision_format((struct revision){3, 77, 12345}, text);
    for (size_t i = 0; i < REVISION_TEXT_LENGTH; i++) {
        for (int c = 0; c < 256; c++) {
            struct revision revision;
            memcpy(changed, text, sizeof(text));
            changed[i] = (char)c;
            if (!revision_parse(bytes_of(changed, REVISION_TEXT_LENGTH), &revision))
                continue;
            char again[REVISION_TEXT_LENGTH + 1];
            revision_format(revision, again);
            assert_memory_equal(again, changed, REVISION_TEXT_LENGTH);
        }
    }
}

static void a_lane_that_does_not_exist_and_a_wrong_length_are_refused(void **state) {
    (void)state;
    char text[REVISION_TEXT_LENGTH + 1];
    struct revision revision;
    revision_format((struct revision){LANE_COUNT, 1, 1}, text);
    assert_false(revision_parse(bytes_of_text(text), &revision));
    revision_format((struct revision){1, -1, 1}, text);
    assert_false(revision_parse(bytes_of_text(text), &revision));
    revision_format((struct revision){1, 1, 1}, text);
    for (size_t len = 0; len < REVISION_TEXT_LENGTH; len++)
        assert_false(revision_parse(bytes_of(text, len), &revision));
    assert_false(revision_parse(BYTES_EMPTY, &revision));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_lane_and_the_extremes_come_back),
        cmocka_unit_test(whatever_parses_is_what_would_be_written),
        cmocka_unit_test(a_lane_that_does_not_exist_and_a_wrong_length_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
