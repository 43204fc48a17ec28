// Who gets a connection: against a plain rule with random comings and goings, and with threads at once.
#include <pthread.h>
#include <string.h>

#include "common/net/connection_balance.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { LOOPS_MAX = 4, STEPS = 100000, THREADS = 4, EACH = 50000 };

static struct connection_balance *make(size_t loops) {
    struct connection_balance *balance;
    assert_int_equal(connection_balance_new(loops, &balance), STATUS_OK);
    return balance;
}

static size_t get_spread(const struct connection_balance *balance, size_t loops) {
    size_t least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < loops; i++) {
        size_t count = connection_balance_get_count(balance, i);
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    return most - least;
}

static void who_accepts_keeps_unless_another_has_fewer(void **state) {
    (void)state;
    struct connection_balance *balance = make(2);
    assert_int_equal(connection_balance_add(balance, 1), 1); // none has any
    assert_int_equal(connection_balance_add(balance, 1), 0); // the other has none
    assert_int_equal(connection_balance_add(balance, 1), 1); // one each
    assert_int_equal(connection_balance_add(balance, 0), 0);
    connection_balance_remove(balance, 0);
    connection_balance_remove(balance, 0);
    assert_int_equal(connection_balance_add(balance, 1), 0);
    assert_int_equal(connection_balance_add(balance, 1), 0);
    connection_balance_free(balance);
}

static void a_wary_loop_is_given_none_and_keeps_what_comes_to_it(void **state) {
    (void)state;
    struct connection_balance *balance = make(3);
    bool is_wary = true;
    connection_balance_set_wary(balance, 0, is_wary);
    for (size_t i = 0; i < 6; i++)
        assert_int_not_equal(connection_balance_add(balance, 1), 0);
    assert_int_equal(connection_balance_get_count(balance, 1), 3);
    assert_int_equal(connection_balance_get_count(balance, 2), 3);
    assert_int_equal(connection_balance_add(balance, 0), 0);
    connection_balance_set_wary(balance, 0, !is_wary);
    assert_int_equal(connection_balance_add(balance, 1), 0);
    connection_balance_free(balance);
}

// The plain rule.
static bool may_get(const size_t *counts, const bool *wary, size_t loops, size_t loop, size_t to) {
    if (to != loop && (wary[to] || counts[to] >= counts[loop]))
        return false;
    for (size_t i = 0; i < loops; i++)
        if ((i == loop || !wary[i]) && counts[i] < counts[to])
            return false;
    return true;
}

static void random_comings_and_goings_obey_the_plain_rule(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (size_t loops = 1; loops <= LOOPS_MAX; loops++) {
        struct connection_balance *balance = make(loops);
        size_t counts[LOOPS_MAX] = {0};
        bool wary[LOOPS_MAX] = {false};
        for (size_t step = 0; step < STEPS; step++) {
            size_t loop = seed_next_below(&seed, loops);
            uint64_t what = seed_next_below(&seed, 100);
            if (what < 2) {
                wary[loop] = what == 0;
                connection_balance_set_wary(balance, loop, wary[loop]);
            } else if (what < 50 && counts[loop] > 0) {
                connection_balance_remove(balance, loop);
                counts[loop]--;
            } else {
                size_t to = connection_balance_add(balance, loop);
                assert_true(may_get(counts, wary, loops, loop, to));
                counts[to]++;
            }
            assert_int_equal(connection_balance_get_count(balance, loop), counts[loop]);
        }
        connection_balance_free(balance);
    }
}

struct adder {
    pthread_t thread;
    struct connection_balance *balance;
    size_t loop, got[LOOPS_MAX];
    bool is_leaving;
};

static void *add_many(void *data) {
    struct adder *adder = data;
    for (size_t i = 0; i < EACH; i++) {
        size_t to = connection_balance_add(adder->balance, adder->loop);
        adder->got[to]++;
        if (adder->is_leaving && i % 2) {
            connection_balance_remove(adder->balance, to);
            adder->got[to]--;
        }
    }
    return NULL;
}

static void run_adders(struct adder *adders, struct connection_balance *balance, size_t loops,
                       bool is_leaving) {
    for (size_t i = 0; i < THREADS; i++) {
        adders[i] = (struct adder){.balance = balance, .loop = i % loops, .is_leaving = is_leaving};
        assert_int_equal(pthread_create(&adders[i].thread, NULL, add_many, &adders[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(adders[i].thread, NULL), 0);
}

static void check_sums(const struct adder *adders, const struct connection_balance *balance, size_t loops) {
    for (size_t loop = 0; loop < loops; loop++) {
        size_t got = 0;
        for (size_t i = 0; i < THREADS; i++)
            got += adders[i].got[loop];
        assert_int_equal(connection_balance_get_count(balance, loop), got);
    }
}

static void however_many_come_at_once_no_loop_has_two_more_than_another(void **state) {
    (void)state;
    for (size_t loops = 1; loops <= LOOPS_MAX; loops++) {
        struct connection_balance *balance = make(loops);
        struct adder adders[THREADS];
        run_adders(adders, balance, loops, false);
        check_sums(adders, balance, loops);
        assert_in_range(get_spread(balance, loops), 0, 1);
        connection_balance_free(balance);
    }
}

// Whoever leaves between the look and the count makes the choice old: by one, for each other thread.
static void with_some_leaving_at_once_none_is_lost_and_the_spread_is_bounded(void **state) {
    (void)state;
    for (size_t loops = 1; loops <= LOOPS_MAX; loops++) {
        struct connection_balance *balance = make(loops);
        struct adder adders[THREADS];
        run_adders(adders, balance, loops, true);
        check_sums(adders, balance, loops);
        assert_in_range(get_spread(balance, loops), 0, THREADS);
        connection_balance_free(balance);
    }
}

static bool make_one(void *context) {
    (void)context;
    struct connection_balance *balance;
    if (connection_balance_new(2, &balance) != STATUS_OK)
        return false;
    connection_balance_free(balance);
    return true;
}

static void a_failed_allocation_is_told(void **state) {
    (void)state;
    assert_int_equal(allocation_failure_try_each(make_one, NULL), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_accepts_keeps_unless_another_has_fewer),
        cmocka_unit_test(a_wary_loop_is_given_none_and_keeps_what_comes_to_it),
        cmocka_unit_test(random_comings_and_goings_obey_the_plain_rule),
        cmocka_unit_test(however_many_come_at_once_no_loop_has_two_more_than_another),
        cmocka_unit_test(with_some_leaving_at_once_none_is_lost_and_the_spread_is_bounded),
        cmocka_unit_test(a_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
