// Lanes as they are typed and told.
#include <string.h>

#include "services/validator/image/lane_set.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static void what_is_typed_is_what_is_told_in_its_shortest_form(void **state) {
    (void)state;
    static const struct {
        const char *typed, *told;
        unsigned count;
    } cases[] = {
        {"0-63", "0-63", 64},
        {"0-31", "0-31", 32},
        {"0-31,47", "0-31,47", 33},
        {"63", "63", 1},
        {"5,4, 3 ,4-6", "3-6", 4},
        {"1,0", "0-1", 2},
        {"0-15,16-31", "0-31", 32},
        {"0-1,3-4,6-7,9-10,12-13,15-16,18-19,21-22,24-25,27-28,30-31,33-34,36-37,39-40,42-43,45-46,48-49,"
         "51-52,54-55,57-58,60-61,63",
         "0-1,3-4,6-7,9-10,12-13,15-16,18-19,21-22,24-25,27-28,30-31,33-34,36-37,39-40,42-43,45-46,48-49,"
         "51-52,54-55,57-58,60-61,63",
         43},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct lane_set set;
        char text[LANE_SET_TEXT_MAX + 1];
        assert_true(lane_set_parse(bytes_of_text(cases[i].typed), &set));
        lane_set_format(set, text);
        assert_string_equal(text, cases[i].told);
        assert_int_equal(lane_set_count(set), cases[i].count);
    }
}

static void anything_else_is_no_set_of_lanes(void **state) {
    (void)state;
    static const char *const texts[] = {"",    ",",     "0-31,", ",0",   "64",  "0-64", "31-0",
                                        "-",   "0-",    "-3",    "a",    "0x1", "01",   "+1",
                                        "1.5", "0-1-2", "0 -1",  "0,,1", "all", "0;1",  "0-\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct lane_set set = {42};
        if (lane_set_parse(bytes_of_text(texts[i]), &set))
            fail_msg("%s is taken", texts[i]);
        assert_int_equal(set.companies, 42);
    }
}

static void any_set_is_read_as_it_was_written(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (int i = 0; i < 10000; i++) {
        struct lane_set set = {seed_next(&seed) & seed_next(&seed)}, read;
        char text[LANE_SET_TEXT_MAX + 1];
        if (set.companies == 0)
            continue;
        lane_set_format(set, text);
        assert_true(lane_set_parse(bytes_of_text(text), &read));
        assert_int_equal(read.companies, set.companies);
    }
}

static void nobody_serves_what_is_no_lane_and_everybody_the_deployment(void **state) {
    (void)state;
    const struct lane_set none = {0};
    for (unsigned lane = 0; lane < 300; lane++) {
        assert_int_equal(lane_set_has(none, lane), lane == LANE_DEPLOYMENT);
        assert_int_equal(lane_set_has(LANE_SET_ALL, lane), lane <= LANE_DEPLOYMENT);
    }
    assert_true(lane_set_includes(LANE_SET_ALL, none));
    assert_false(lane_set_includes((struct lane_set){6}, (struct lane_set){3}));
    assert_true(lane_set_includes((struct lane_set){7}, (struct lane_set){3}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_is_what_is_told_in_its_shortest_form),
        cmocka_unit_test(anything_else_is_no_set_of_lanes),
        cmocka_unit_test(any_set_is_read_as_it_was_written),
        cmocka_unit_test(nobody_serves_what_is_no_lane_and_everybody_the_deployment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
