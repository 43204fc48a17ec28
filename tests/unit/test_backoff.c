// Pauses between attempts to connect to the database.
#include "common/base/compiler.h"
#include "common/db/backoff.h"
#include "tests/unit/unit.h"

static uint32_t next_longest(struct backoff *backoff) {
    uint32_t longest = 0;
    // Of any 5001 numbers in a row one makes the longest of each range.
    for (uint64_t random = 0; random <= BACKOFF_LAST_MS; random++) {
        struct backoff copy = *backoff;
        uint32_t ms = backoff_next_ms(&copy, random);
        longest = ms > longest ? ms : longest;
    }
    (void)backoff_next_ms(backoff, 0);
    return longest;
}

static void pauses_double_up_to_the_last(void **state) {
    (void)state;
    static const uint32_t expected[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    struct backoff backoff = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_int_equal(next_longest(&backoff), expected[i]);
    for (unsigned i = 0; i < 100; i++)
        assert_in_range(backoff_next_ms(&backoff, i), BACKOFF_LAST_MS / 2, BACKOFF_LAST_MS);
    backoff_reset(&backoff);
    assert_int_equal(next_longest(&backoff), BACKOFF_FIRST_MS);
}

static void while_a_standby_answers_they_grow_no_longer(void **state) {
    (void)state;
    struct backoff backoff = {0};
    for (unsigned i = 0; i < 100; i++)
        (void)backoff_next_ms(&backoff, i);
    for (unsigned i = 0; i < 100; i++) {
        backoff_expect(&backoff);
        assert_in_range(backoff_next_ms(&backoff, i), BACKOFF_EXPECTING_MS / 2, BACKOFF_EXPECTING_MS);
    }
    assert_int_equal(next_longest(&backoff), 2 * BACKOFF_EXPECTING_MS);
}

static void what_is_expected_makes_no_pause_longer(void **state) {
    (void)state;
    struct backoff backoff = {0};
    backoff_expect(&backoff);
    assert_int_equal(next_longest(&backoff), BACKOFF_FIRST_MS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_the_last),
        cmocka_unit_test(while_a_standby_answers_they_grow_no_longer),
        cmocka_unit_test(what_is_expected_makes_no_pause_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
