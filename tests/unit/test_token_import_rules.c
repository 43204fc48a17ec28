// What a token that comes over brings with it, and which of a list are twins.
#include <string.h>

#include "common/base/clock.h"
#include "services/token/token_import_rules.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1800000000000)

static struct arena arena;

static int begin(void **state) {
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int end(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void a_history_is_kept_and_what_is_unset_is_now_or_never(void **state) {
    (void)state;
    uint8_t digest[DIGEST_LENGTH] = {1, 2, 3};
    struct fault fault;
    struct token_history history;
    struct token_history_wish wish = {.secret_sha256 = bytes_of(digest, sizeof(digest)), .hint = "…x9Qz"};
    fault_init(&fault, &arena);
    assert_int_equal(token_check_history(&wish, NOW_MS, &fault, &history), STATUS_OK);
    assert_true(history.created_at_ms == NOW_MS && history.last_used_at_ms == CLOCK_ALWAYS_MS);
    assert_memory_equal(history.digest.bytes, digest, sizeof(digest));
    assert_string_equal(history.hint, "…x9Qz");

    wish.has_created_at = wish.has_last_used_at = true;
    wish.created_at_ms = NOW_MS;
    wish.last_used_at_ms = NOW_MS - 5;
    assert_int_equal(token_check_history(&wish, NOW_MS, &fault, &history), STATUS_OK);
    assert_true(history.created_at_ms == NOW_MS && history.last_used_at_ms == NOW_MS - 5);
}

static void every_bad_field_of_a_history_is_named(void **state) {
    (void)state;
    uint8_t digest[DIGEST_LENGTH + 1] = {0};
    struct fault fault;
    struct token_history history;
    struct token_history_wish wish = {.secret_sha256 = bytes_of(digest, sizeof(digest)),
                                      .hint = "seventeen letters",
                                      .has_created_at = true,
                                      .has_last_used_at = true,
                                      .created_at_ms = NOW_MS + 1,
                                      .last_used_at_ms = NOW_MS + 1};
    fault_init(&fault, &arena);
    assert_int_equal(token_check_history(&wish, NOW_MS, &fault, &history), STATUS_INVALID);
    assert_int_equal(fault.field_count, 4);
    wish.secret_sha256.len = 0;
    fault_init(&fault, &arena);
    assert_int_equal(token_check_history(&wish, NOW_MS, &fault, &history), STATUS_INVALID);
    assert_string_equal(fault.fields->field, "secret_sha256");
}

static void the_first_of_twins_stays_and_one_that_failed_has_none(void **state) {
    (void)state;
    // digest, external_id, failed before; and the reason expected of it.
    static const struct {
        uint8_t digest;
        const char *external_id;
        bool has_failed;
        const char *reason;
    } cases[] = {
        {1, "a", false, ""},
        {1, "b", false, "SECRET_IN_USE"},
        {2, "", false, ""},
        {3, "", false, ""},
        {4, "a", false, "EXTERNAL_ID_IN_USE"},
        {5, "c", true, "INVALID_ARGUMENT"},
        {5, "c", false, ""},
        {6, "b", false, ""}, // the other "b" has failed itself
        {5, "c", false, "SECRET_IN_USE"},
    };
    struct token_import imports[ARRAY_LENGTH(cases)] = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        fault_init(&imports[i].fault, &arena);
        imports[i].history.digest.bytes[0] = cases[i].digest;
        imports[i].draft.external_id = bytes_of_text(cases[i].external_id);
        if (cases[i].has_failed)
            fault_add_field(&imports[i].fault, "label", "type one");
    }
    token_check_twins(imports, ARRAY_LENGTH(cases));
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *reason = imports[i].fault.status == STATUS_OK ? "" : imports[i].fault.reason;
        if (strcmp(reason, cases[i].reason) != 0)
            fail_msg("token %zu: \"%s\"", i, reason);
    }
    token_check_twins(imports, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_history_is_kept_and_what_is_unset_is_now_or_never),
        CASE(every_bad_field_of_a_history_is_named),
        CASE(the_first_of_twins_stays_and_one_that_failed_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
