// Who gets how much of the memory for requests that have not come whole: what is written, and random changes
// against a plain sum.
#include "common/grpc/arriving_memory.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define KIB ((size_t)1024)
#define LIMIT (1024 * KIB)

static void one_connection_gets_half_whatever_its_calls_are(void **state) {
    (void)state;
    struct arriving_memory memory = {.limit_bytes = LIMIT};
    struct arriving_share connection = {0}, calls[2] = {{0}};
    assert_true(arriving_memory_set(&memory, &connection, &calls[0], 300 * KIB));
    assert_true(arriving_memory_set(&memory, &connection, &calls[1], 212 * KIB));
    assert_false(arriving_memory_set(&memory, &connection, &calls[1], 212 * KIB + 1));
    assert_int_equal(calls[1].bytes, 212 * KIB);
    assert_int_equal(connection.bytes, LIMIT / 2);
    assert_int_equal(memory.used_bytes, LIMIT / 2);
}

// Each takes as much as it gets, a KiB at a time; who comes behind them gets as much as they could keep.
static void however_many_hold_what_they_get_who_comes_gets_as_much_as_the_last(void **state) {
    (void)state;
    enum { CONNECTIONS = 20 };
    struct arriving_memory memory = {.limit_bytes = LIMIT};
    struct arriving_share connections[CONNECTIONS + 1] = {{0}}, calls[CONNECTIONS + 1] = {{0}};
    bool has_grown = true;
    while (has_grown) {
        has_grown = false;
        for (size_t i = 0; i < CONNECTIONS; i++)
            has_grown |= arriving_memory_set(&memory, &connections[i], &calls[i], calls[i].bytes + KIB);
    }
    struct arriving_share *call = &calls[CONNECTIONS];
    while (arriving_memory_set(&memory, &connections[CONNECTIONS], call, call->bytes + KIB)) {
    }
    assert_true(call->bytes > LIMIT / (CONNECTIONS + 2) / 2);
    assert_true(memory.used_bytes <= LIMIT);
}

static void the_first_bytes_of_a_connection_are_let_in_when_all_is_taken(void **state) {
    (void)state;
    struct arriving_memory memory = {.limit_bytes = LIMIT, .used_bytes = LIMIT};
    struct arriving_share connection = {0}, calls[2] = {{0}};
    assert_true(arriving_memory_set(&memory, &connection, &calls[0], 10 * KIB));
    assert_false(arriving_memory_set(&memory, &connection, &calls[1], 7 * KIB));
    assert_true(arriving_memory_set(&memory, &connection, &calls[1], 6 * KIB));
    assert_int_equal(memory.used_bytes, LIMIT + 16 * KIB);
}

static void what_is_given_back_can_be_had_again(void **state) {
    (void)state;
    struct arriving_memory memory = {.limit_bytes = LIMIT};
    struct arriving_share connections[2] = {{0}}, calls[2] = {{0}};
    assert_true(arriving_memory_set(&memory, &connections[0], &calls[0], LIMIT / 2));
    assert_false(arriving_memory_set(&memory, &connections[1], &calls[1], LIMIT / 2));
    assert_true(arriving_memory_set(&memory, &connections[0], &calls[0], 0));
    assert_true(arriving_memory_set(&memory, &connections[1], &calls[1], LIMIT / 2));
}

static void random_changes_keep_the_sums(void **state) {
    (void)state;
    enum { CONNECTIONS = 5, CALLS = 4 };
    struct seed seed = seed_new();
    struct arriving_memory memory = {.limit_bytes = LIMIT};
    struct arriving_share connections[CONNECTIONS] = {{0}}, calls[CONNECTIONS][CALLS] = {{{0}}};
    for (unsigned round = 0; round < 100000; round++) {
        size_t at = seed_next_below(&seed, CONNECTIONS), of = seed_next_below(&seed, CALLS);
        size_t before = calls[at][of].bytes, bytes = seed_next_below(&seed, LIMIT / 3);
        bool is_set = arriving_memory_set(&memory, &connections[at], &calls[at][of], bytes);
        assert_int_equal(calls[at][of].bytes, is_set ? bytes : before);
        assert_true(is_set || bytes > before);
        size_t used = 0;
        for (size_t i = 0; i < CONNECTIONS; i++) {
            size_t its = 0;
            for (size_t j = 0; j < CALLS; j++)
                its += calls[i][j].bytes;
            assert_int_equal(its, connections[i].bytes);
            used += its;
        }
        assert_int_equal(used, memory.used_bytes);
        assert_true(used <= LIMIT + CONNECTIONS * 16 * KIB);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection_gets_half_whatever_its_calls_are),
        cmocka_unit_test(however_many_hold_what_they_get_who_comes_gets_as_much_as_the_last),
        cmocka_unit_test(the_first_bytes_of_a_connection_are_let_in_when_all_is_taken),
        cmocka_unit_test(what_is_given_back_can_be_had_again),
        cmocka_unit_test(random_changes_keep_the_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
