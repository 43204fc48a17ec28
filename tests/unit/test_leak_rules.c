// What a report of a leaked secret leads to: the whole table.
#include <string.h>

#include "common/base/clock.h"
#include "services/token/leak_rules.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1800000000000)

static void the_policy_and_the_state_decide_together(void **state) {
    (void)state;
    static const struct {
        struct leaked_token token;
        enum leak_outcome outcome;
    } cases[] = {
        // kind, ended, suspended, spent, reported, action
        {{TOKEN_KIND_ACCESS, false, false, false, CLOCK_ALWAYS_MS, LEAK_ACTION_DEFAULT}, LEAK_DEACTIVATED},
        {{TOKEN_KIND_ACCESS, false, false, false, CLOCK_ALWAYS_MS, LEAK_ACTION_DEACTIVATE}, LEAK_DEACTIVATED},
        {{TOKEN_KIND_ACCESS, false, true, false, CLOCK_ALWAYS_MS, LEAK_ACTION_DEACTIVATE}, LEAK_DEACTIVATED},
        {{TOKEN_KIND_ACCESS, false, false, false, NOW_MS - 1, LEAK_ACTION_DEACTIVATE}, LEAK_DEACTIVATED},
        {{TOKEN_KIND_ACCESS, false, false, false, CLOCK_ALWAYS_MS, (enum leak_action)99}, LEAK_DEACTIVATED},
        {{TOKEN_KIND_ACCESS, false, false, false, CLOCK_ALWAYS_MS, LEAK_ACTION_SUSPEND}, LEAK_SUSPENDED},
        {{TOKEN_KIND_ACCESS, false, true, false, CLOCK_ALWAYS_MS, LEAK_ACTION_SUSPEND}, LEAK_TOLD},
        {{TOKEN_KIND_ACCESS, false, true, false, NOW_MS - 1, LEAK_ACTION_SUSPEND}, LEAK_IGNORED},
        {{TOKEN_KIND_LOGIN, false, false, false, CLOCK_ALWAYS_MS, LEAK_ACTION_SUSPEND}, LEAK_DEACTIVATED},
        {{TOKEN_KIND_LOGIN, false, false, false, CLOCK_ALWAYS_MS, LEAK_ACTION_NOTIFY}, LEAK_TOLD},
        {{TOKEN_KIND_ACCESS, false, false, false, CLOCK_ALWAYS_MS, LEAK_ACTION_NOTIFY}, LEAK_TOLD},
        {{TOKEN_KIND_ACCESS, false, false, false, NOW_MS - LEAK_TOLD_AGAIN_MS + 1, LEAK_ACTION_NOTIFY},
         LEAK_IGNORED},
        {{TOKEN_KIND_ACCESS, false, false, false, NOW_MS - LEAK_TOLD_AGAIN_MS, LEAK_ACTION_NOTIFY},
         LEAK_TOLD},
        {{TOKEN_KIND_ACCESS, false, false, true, CLOCK_ALWAYS_MS, LEAK_ACTION_DEACTIVATE}, LEAK_TOLD},
        {{TOKEN_KIND_ACCESS, false, false, true, NOW_MS - 1, LEAK_ACTION_DEACTIVATE}, LEAK_IGNORED},
        {{TOKEN_KIND_ACCESS, true, false, false, CLOCK_ALWAYS_MS, LEAK_ACTION_DEACTIVATE}, LEAK_IGNORED},
        {{TOKEN_KIND_LOGIN, true, false, false, CLOCK_ALWAYS_MS, LEAK_ACTION_NOTIFY}, LEAK_IGNORED},
        {{TOKEN_KIND_ACCESS, true, true, true, CLOCK_ALWAYS_MS, LEAK_ACTION_SUSPEND}, LEAK_IGNORED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (leak_decide(&cases[i].token, NOW_MS) != cases[i].outcome)
            fail_msg("case %zu: not %s", i, leak_outcome_get_word(cases[i].outcome));
}

static void every_outcome_has_a_word(void **state) {
    (void)state;
    for (int outcome = 0; outcome < LEAK_OUTCOME_COUNT; outcome++)
        assert_true(strlen(leak_outcome_get_word((enum leak_outcome)outcome)) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_and_the_state_decide_together),
        cmocka_unit_test(every_outcome_has_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
