// Which address a call goes to, as a table of what state each is in.
#include <string.h>

#include "common/grpc_client/client_pick.h"
#include "tests/unit/unit.h"

#define NOW 1000
#define NONE CLIENT_PICK_NONE
#define COUNT_MAX 5

// 'R' ready, 'i' idle, 'x' resting.
static size_t make(const char *states, struct client_choice *choices) {
    size_t count = strlen(states);
    for (size_t i = 0; i < count; i++)
        choices[i] = (struct client_choice){.is_ready = states[i] == 'R',
                                            .not_before_ns = states[i] == 'x' ? NOW + 1 + i : 0};
    return count;
}

static void the_address_that_is_picked(void **state) {
    (void)state;
    static const struct {
        const char *states;
        size_t last, first, next;
    } rows[] = {
        {"i", NONE, 0, 0},   {"iii", NONE, 0, 0}, {"xii", NONE, 1, 1}, {"xxx", NONE, NONE, NONE},
        {"iRi", NONE, 1, 0}, {"iRi", 0, 1, 1},    {"RRR", 0, 0, 1},    {"RRR", 2, 0, 0},
        {"RxR", 0, 0, 2},    {"xxR", 2, 2, 2},    {"xiR", 2, 2, 1},    {"iii", 7, 0, 2},
        {"xxi", 0, 2, 2},    {"Rxx", 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct client_choice choices[COUNT_MAX];
        size_t count = make(rows[i].states, choices);
        assert_int_equal(client_pick(CLIENT_PICK_FIRST, choices, count, rows[i].last, NOW), rows[i].first);
        assert_int_equal(client_pick(CLIENT_PICK_ROUND_ROBIN, choices, count, rows[i].last, NOW),
                         rows[i].next);
    }
}

static void an_address_has_rested_when_its_time_has_come(void **state) {
    (void)state;
    struct client_choice choices[COUNT_MAX];
    size_t count = make("xx", choices);
    assert_int_equal(client_pick_get_wake_ns(choices, count), NOW + 1);
    assert_int_equal(client_pick(CLIENT_PICK_FIRST, choices, count, NONE, NOW), NONE);
    assert_int_equal(client_pick(CLIENT_PICK_FIRST, choices, count, NONE, NOW + 1), 0);
    assert_int_equal(client_pick(CLIENT_PICK_ROUND_ROBIN, choices, count, 0, NOW + 2), 1);
}

static void without_addresses_none_is_picked(void **state) {
    (void)state;
    assert_int_equal(client_pick(CLIENT_PICK_FIRST, NULL, 0, NONE, NOW), NONE);
    assert_int_equal(client_pick(CLIENT_PICK_ROUND_ROBIN, NULL, 0, NONE, NOW), NONE);
    assert_true(client_pick_get_wake_ns(NULL, 0) == UINT64_MAX);
}

static void round_robin_is_even_over_those_that_can_be_used(void **state) {
    (void)state;
    struct client_choice choices[COUNT_MAX];
    size_t count = make("RxiRR", choices), calls[COUNT_MAX] = {0}, last = NONE;
    for (int i = 0; i < 400; i++) {
        last = client_pick(CLIENT_PICK_ROUND_ROBIN, choices, count, last, NOW);
        calls[last]++;
    }
    assert_int_equal(calls[1], 0);
    for (size_t i = 0; i < COUNT_MAX; i++)
        assert_int_equal(calls[i], i == 1 ? 0 : 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_that_is_picked),
        cmocka_unit_test(an_address_has_rested_when_its_time_has_come),
        cmocka_unit_test(without_addresses_none_is_picked),
        cmocka_unit_test(round_robin_is_even_over_those_that_can_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
