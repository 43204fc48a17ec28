// Which cookie is ours.
#include "services/console/console_cookie.h"
#include "tests/unit/unit.h"

#define NAME "__Host-latchkey-session"

static void assert_found(const char *const *values, const char *expected) {
    struct arena arena;
    struct metadata fields;
    arena_init(&arena, 0);
    metadata_init(&fields);
    for (; *values; values++)
        assert_int_equal(metadata_add(&fields, &arena, BYTES_LITERAL("cookie"), bytes_of_text(*values)),
                         STATUS_OK);
    struct bytes found = console_cookie_find(&fields, NAME);
    assert_true(bytes_is_text(found, expected));
    arena_fini(&arena);
}

#define ASSERT_FOUND(expected, ...) assert_found((const char *const[]){__VA_ARGS__, NULL}, expected)

static void it_is_found_among_others(void **state) {
    (void)state;
    ASSERT_FOUND("a_B1", NAME "=a_B1");
    ASSERT_FOUND("a", "x=y; " NAME "=a; z=" NAME);
    ASSERT_FOUND("a", "x=y", NAME "=a");
    ASSERT_FOUND("a", ";;" NAME "=a;");
}

static void what_only_looks_like_it_is_not_it(void **state) {
    (void)state;
    ASSERT_FOUND("", "x" NAME "=a");
    ASSERT_FOUND("", NAME "x=a");
    ASSERT_FOUND("", NAME);
    ASSERT_FOUND("", NAME "=");
    ASSERT_FOUND("", NAME " =a");
    ASSERT_FOUND("", "__host-latchkey-session=a");
    ASSERT_FOUND("", "x=" NAME "=a");
    ASSERT_FOUND("", "");
}

static void of_two_neither_counts(void **state) {
    (void)state;
    ASSERT_FOUND("", NAME "=a; " NAME "=b");
    ASSERT_FOUND("", NAME "=a", NAME "=a");
}

static void a_value_that_could_mean_more_is_none(void **state) {
    (void)state;
    ASSERT_FOUND("", NAME "=\"a\"");
    ASSERT_FOUND("", NAME "=a b");
    ASSERT_FOUND("", NAME "=a,b");
    ASSERT_FOUND("", NAME "=a=b");
    ASSERT_FOUND("", NAME "=\xc3\xa4");
}

static void what_is_set_is_kept_from_scripts_and_other_sites(void **state) {
    (void)state;
    struct arena arena;
    struct http_answer answer = {0};
    arena_init(&arena, 0);
    metadata_init(&answer.fields);
    const struct http_request request = {.arena = &arena};
    console_cookie_set(&request, &answer, NAME, BYTES_LITERAL("abc"), 10800);
    console_cookie_set(&request, &answer, NAME, BYTES_EMPTY, 0);
    console_cookie_set_for_return(&request, &answer, NAME, BYTES_LITERAL("abc"), 600);
    assert_string_equal((const char *)answer.fields.first->value.data,
                        NAME "=abc; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=10800");
    assert_string_equal((const char *)answer.fields.first->next->value.data,
                        NAME "=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0");
    assert_string_equal((const char *)answer.fields.first->next->next->value.data,
                        NAME "=abc; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=600");
    arena_fini(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_found_among_others),
        cmocka_unit_test(what_only_looks_like_it_is_not_it),
        cmocka_unit_test(of_two_neither_counts),
        cmocka_unit_test(a_value_that_could_mean_more_is_none),
        cmocka_unit_test(what_is_set_is_kept_from_scripts_and_other_sites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
