// Decisions in HTTP, held against the contract's sentence.
#include <string.h>

#include "services/validator/http_verdict.h"
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
        assert_string_equal(verdict->error ? verdict->error : "", is_dead      ? "invalid_token"
                                                                  : is_missing ? "insufficient_scope"
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_is_what_the_contract_says),
        cmocka_unit_test(what_is_no_reason_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
