// Pauses after failures: how they grow, where they end, and how far chance moves them.
#include "common/grpc_client/client_backoff.h"
#include "tests/unit/unit.h"

#define NS_PER_MS UINT64_C(1000000)
#define MIDDLE (UINT64_MAX / 2) // of all random numbers: no jitter

static void assert_ms(uint64_t ns, uint64_t ms) {
    assert_in_range(ns, ms * NS_PER_MS - ms * NS_PER_MS / 1000, ms * NS_PER_MS + ms * NS_PER_MS / 1000);
}

static void attempts_to_connect_are_made_after_1_s_times_1_6_up_to_120_s(void **state) {
    (void)state;
    static const uint64_t expected_ms[] = {1000,  1600,  2560,  4096,  6554,   10486,
                                           16777, 26844, 42950, 68719, 109951, 120000};
    for (unsigned i = 0; i < sizeof(expected_ms) / sizeof(*expected_ms); i++)
        assert_ms(client_backoff_get_ns(&client_backoff_of_connections, i + 1, MIDDLE), expected_ms[i]);
    assert_ms(client_backoff_get_ns(&client_backoff_of_connections, UINT32_MAX, MIDDLE), 120000);
}

static void chance_moves_a_pause_by_a_fifth_either_way(void **state) {
    (void)state;
    const struct client_backoff *backoff = &client_backoff_of_connections;
    assert_ms(client_backoff_get_ns(backoff, 1, 0), 800);
    assert_ms(client_backoff_get_ns(backoff, 1, UINT64_MAX), 1200);
    // Also at the limit.
    assert_ms(client_backoff_get_ns(backoff, 50, 0), 96000);
    assert_ms(client_backoff_get_ns(backoff, 50, UINT64_MAX), 144000);
}

static void a_first_pause_above_the_limit_is_the_limit(void **state) {
    (void)state;
    const struct client_backoff backoff = {.initial_ms = 5000, .max_ms = 100, .multiplier = 2};
    assert_ms(client_backoff_get_ns(&backoff, 1, MIDDLE), 100);
}

static void the_longest_pause_there_can_be_is_thirty_years(void **state) {
    (void)state;
    const struct client_backoff backoff = {.initial_ms = 3e14, .max_ms = 3e14, .multiplier = 1000};
    assert_ms(client_backoff_get_ns(&backoff, 5, UINT64_MAX), UINT64_C(1200000000000));
}

static void a_multiplier_below_1_shrinks_pauses_and_ends(void **state) {
    (void)state;
    const struct client_backoff backoff = {.initial_ms = 1000, .max_ms = 2000, .multiplier = 0.5};
    assert_ms(client_backoff_get_ns(&backoff, 2, MIDDLE), 500);
    assert_true(client_backoff_get_ns(&backoff, UINT32_MAX, MIDDLE) <= NS_PER_MS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_to_connect_are_made_after_1_s_times_1_6_up_to_120_s),
        cmocka_unit_test(chance_moves_a_pause_by_a_fifth_either_way),
        cmocka_unit_test(a_first_pause_above_the_limit_is_the_limit),
        cmocka_unit_test(the_longest_pause_there_can_be_is_thirty_years),
        cmocka_unit_test(a_multiplier_below_1_shrinks_pauses_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
