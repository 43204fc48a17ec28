// When a call that failed is made once more: the attempts, the pauses, what the server asks for, what may
// have been done already, and the throttle over all calls.
#include <string.h>

#include "common/grpc_client/client_retry.h"
#include "tests/unit/unit.h"

#define NS_PER_MS UINT64_C(1000000)
#define MIDDLE (UINT64_MAX / 2) // of all random numbers: no jitter

static const struct service_config_retry policy = {
    .max_attempts = 4,
    .backoff = {.initial_ms = 100, .max_ms = 300, .multiplier = 2},
    .retryable_codes = 1 << GRPC_CODE_UNAVAILABLE | 1 << GRPC_CODE_ABORTED};

static const struct client_outcome unavailable = {.code = GRPC_CODE_UNAVAILABLE};

struct scene {
    struct client_throttle throttle;
    struct client_retry retry;
};

static void begin(struct scene *scene, enum client_repeatability repeatability) {
    memset(scene, 0, sizeof(*scene));
    scene->retry = (struct client_retry){
        .policy = &policy, .throttle = &scene->throttle, .repeatability = repeatability};
}

// The wait, or -1 when the call is not made again.
static int64_t decide_ms(struct scene *scene, const struct client_outcome *outcome) {
    uint64_t wait_ns;
    if (!client_retry_decide(&scene->retry, outcome, MIDDLE, &wait_ns))
        return -1;
    return (int64_t)((wait_ns + NS_PER_MS / 2) / NS_PER_MS);
}

static void waits_double_up_to_their_limit_and_attempts_end(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene, CLIENT_REPEAT_IF_UNDONE);
    assert_int_equal(decide_ms(&scene, &unavailable), 100);
    assert_int_equal(decide_ms(&scene, &unavailable), 200);
    assert_int_equal(decide_ms(&scene, &unavailable), 300);
    assert_int_equal(decide_ms(&scene, &unavailable), -1);
    assert_int_equal(scene.retry.attempts, 4);
}

static void only_the_codes_of_the_policy_are_tried_again(void **state) {
    (void)state;
    for (unsigned code = 1; code < GRPC_CODE_COUNT; code++) {
        struct scene scene;
        const struct client_outcome outcome = {.code = (enum grpc_code)code};
        begin(&scene, CLIENT_REPEAT_ALWAYS);
        bool is_retryable = code == GRPC_CODE_UNAVAILABLE || code == GRPC_CODE_ABORTED;
        assert_int_equal(decide_ms(&scene, &outcome), is_retryable ? 100 : -1);
    }
}

static void without_a_policy_nothing_is_tried_again(void **state) {
    (void)state;
    static const struct service_config_retry none;
    struct scene scene;
    begin(&scene, CLIENT_REPEAT_ALWAYS);
    scene.retry.policy = &none;
    assert_int_equal(decide_ms(&scene, &unavailable), -1);
}

static void what_may_have_been_done_is_repeated_only_if_that_does_no_harm(void **state) {
    (void)state;
    const struct client_outcome unknown = {.code = GRPC_CODE_UNAVAILABLE, .is_unknown = true};
    struct scene scene;
    begin(&scene, CLIENT_REPEAT_IF_UNDONE);
    assert_int_equal(decide_ms(&scene, &unknown), -1);
    begin(&scene, CLIENT_REPEAT_ALWAYS);
    assert_int_equal(decide_ms(&scene, &unknown), 100);
}

static void an_answer_that_has_begun_is_the_last(void **state) {
    (void)state;
    const struct client_outcome committed = {.code = GRPC_CODE_UNAVAILABLE, .is_committed = true};
    struct scene scene;
    begin(&scene, CLIENT_REPEAT_ALWAYS);
    assert_int_equal(decide_ms(&scene, &committed), -1);
}

static void the_server_says_how_long_to_wait(void **state) {
    (void)state;
    const struct client_outcome pushed = {
        .code = GRPC_CODE_UNAVAILABLE, .pushback = CLIENT_PUSHBACK_WAIT, .pushback_ms = 1234};
    struct scene scene;
    begin(&scene, CLIENT_REPEAT_IF_UNDONE);
    assert_int_equal(decide_ms(&scene, &unavailable), 100);
    assert_int_equal(decide_ms(&scene, &pushed), 1234);
    // The pauses of the policy begin anew.
    assert_int_equal(decide_ms(&scene, &unavailable), 100);
}

static void the_server_says_stop(void **state) {
    (void)state;
    const struct client_outcome stopped = {.code = GRPC_CODE_UNAVAILABLE, .pushback = CLIENT_PUSHBACK_STOP};
    struct scene scene;
    begin(&scene, CLIENT_REPEAT_ALWAYS);
    assert_int_equal(decide_ms(&scene, &stopped), -1);
}

static void a_pushback_is_a_number_of_milliseconds_or_says_stop(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum client_pushback pushback;
        uint32_t ms;
    } rows[] = {
        {"0", CLIENT_PUSHBACK_WAIT, 0},   {"250", CLIENT_PUSHBACK_WAIT, 250},
        {"-1", CLIENT_PUSHBACK_STOP, 7},  {"", CLIENT_PUSHBACK_STOP, 7},
        {"1s", CLIENT_PUSHBACK_STOP, 7},  {"4294967295", CLIENT_PUSHBACK_WAIT, UINT32_MAX},
        {"1.5", CLIENT_PUSHBACK_STOP, 7}, {"4294967296", CLIENT_PUSHBACK_STOP, 7},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint32_t ms = 7;
        assert_int_equal(client_pushback_parse(bytes_of_text(rows[i].text), &ms), rows[i].pushback);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void calls_that_mostly_fail_are_not_tried_again(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene, CLIENT_REPEAT_IF_UNDONE);
    client_throttle_init(&scene.throttle, (struct service_config_throttle){10000, 500});
    // Ten tokens: the fifth failure leaves half.
    for (int i = 0; i < 4; i++) {
        scene.retry.attempts = 0;
        assert_true(decide_ms(&scene, &unavailable) >= 0);
    }
    scene.retry.attempts = 0;
    assert_int_equal(decide_ms(&scene, &unavailable), -1);
    // Two successes earn one token, a failure takes one: three successes are needed.
    client_retry_on_success(&scene.retry);
    client_retry_on_success(&scene.retry);
    scene.retry.attempts = 0;
    assert_int_equal(decide_ms(&scene, &unavailable), -1);
    for (int i = 0; i < 3; i++)
        client_retry_on_success(&scene.retry);
    scene.retry.attempts = 0;
    assert_true(decide_ms(&scene, &unavailable) >= 0);
}

static void tokens_stay_between_none_and_all(void **state) {
    (void)state;
    const struct client_outcome stopped = {.code = GRPC_CODE_INTERNAL, .pushback = CLIENT_PUSHBACK_STOP};
    struct scene scene;
    begin(&scene, CLIENT_REPEAT_IF_UNDONE);
    client_throttle_init(&scene.throttle, (struct service_config_throttle){2500, 700});
    for (int i = 0; i < 9; i++)
        client_retry_on_success(&scene.retry);
    assert_int_equal(scene.throttle.milli_tokens, 2500);
    for (int i = 0; i < 9; i++)
        assert_int_equal(decide_ms(&scene, &stopped), -1);
    assert_int_equal(scene.throttle.milli_tokens, 0);
    // A failure that the policy does not name costs nothing.
    client_retry_on_success(&scene.retry);
    const struct client_outcome other = {.code = GRPC_CODE_INTERNAL};
    assert_int_equal(decide_ms(&scene, &other), -1);
    assert_int_equal(scene.throttle.milli_tokens, 700);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_their_limit_and_attempts_end),
        cmocka_unit_test(only_the_codes_of_the_policy_are_tried_again),
        cmocka_unit_test(without_a_policy_nothing_is_tried_again),
        cmocka_unit_test(what_may_have_been_done_is_repeated_only_if_that_does_no_harm),
        cmocka_unit_test(an_answer_that_has_begun_is_the_last),
        cmocka_unit_test(the_server_says_how_long_to_wait),
        cmocka_unit_test(the_server_says_stop),
        cmocka_unit_test(a_pushback_is_a_number_of_milliseconds_or_says_stop),
        cmocka_unit_test(calls_that_mostly_fail_are_not_tried_again),
        cmocka_unit_test(tokens_stay_between_none_and_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
