// Decisions in HTTP, held against the contract's sentence.
#include <string.h>

#include "services/validator/gateway/http_verdict.h"
#include "tests/unit/unit.h"

// MALFORMED to EXPIRED 401 with invalid_token; channel, addresses, domain, suspended company 403;
// PERMISSION_MISSING 403 with insufficient_scope.
static void every_reason_is_what_the_contract_says(void **state) {
    (void)state;
    for (int reason = REASON_MALFORMED; reason <= REASON_PERMISSION_MISSING; reason++) {
        const struct http_verdict *verdict = http_verdict_of(reason);
        bool is_dead = reason <= REASON_EXPIRED && reason != REASON_COMPANY_SUSPENDED;
        bool is_missing = reason == REASON_PERMISSION_MISSING;
        assert_int_equal(verdict->status, is_dead ? 401 : 403);
        assert_string_equal(verdict->code, is_dead ? "unauthenticated" : "permission_denied");
        assert_string_equal(verdict->challenge ? verdict->challenge : "",
                            is_dead      ? "Bearer error=\"invalid_token\""
                            : is_missing ? "Bearer error=\"insufficient_scope\""
                                         : "");
        assert_true(strlen(verdict->text) > 0);
    }
    assert_int_equal(http_verdict_of(REASON_OK)->status, 200);
}

static void what_is_no_reason_refuses(void **state) {
    (void)state;
    static const int reasons[] = {REASON_UNSPECIFIED, REASON_NOT_CURRENT, REASON_COUNT, -1, 1000000};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        assert_int_equal(http_verdict_of(reasons[i])->status, 403);
}

static void who_presents_nothing_is_told_of_no_error(void **state) {
    (void)state;
    const struct http_verdict *malformed = http_verdict_of(REASON_MALFORMED),
                              *missing = http_verdict_of(REASON_PERMISSION_MISSING);
    assert_string_equal(http_verdict_get_challenge(malformed, false), "Bearer realm=\"latchkey\"");
    assert_string_equal(http_verdict_get_challenge(malformed, true), malformed->challenge);
    assert_string_equal(http_verdict_get_challenge(missing, false), missing->challenge);
    assert_null(http_verdict_get_challenge(http_verdict_of(REASON_COMPANY_SUSPENDED), false));
}

static void what_could_not_be_decided_is_asked_again_unless_it_may_or_can_not_be(void **state) {
    (void)state;
    assert_int_equal(http_verdict_of_failure(STATUS_UNAUTHENTICATED)->status, 403);
    assert_int_equal(http_verdict_of_failure(STATUS_PERMISSION_DENIED)->status, 403);
    assert_int_equal(http_verdict_of_failure(STATUS_INVALID)->status, 400);
    assert_int_equal(http_verdict_of_failure(STATUS_UNAVAILABLE)->status, 503);
    assert_int_equal(http_verdict_of_failure(STATUS_NO_MEMORY)->status, 503);
    assert_int_equal(http_verdict_of_failure(STATUS_OK)->status, 503);
    static const unsigned waits[][2] = {{0, 1}, {1, 1}, {1000, 1}, {1001, 2}, {UINT32_MAX, 4294968}};
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        const struct fault fault = {.retry_after_ms = waits[i][0]};
        assert_int_equal(http_verdict_get_retry_after_s(&fault), waits[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_is_what_the_contract_says),
        cmocka_unit_test(what_is_no_reason_refuses),
        cmocka_unit_test(who_presents_nothing_is_told_of_no_error),
        cmocka_unit_test(what_could_not_be_decided_is_asked_again_unless_it_may_or_can_not_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
