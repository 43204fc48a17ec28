// application/x-www-form-urlencoded: what is read from it, and what is refused.
#include <stdio.h>
#include <string.h>

#include "common/app/http_form.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static void assert_form(struct arena *arena, const char *text, const char *expected) {
    struct http_form form;
    char read[256] = "";
    assert_int_equal(http_form_parse(bytes_of_text(text), arena, &form), STATUS_OK);
    for (size_t i = 0; i < form.count; i++) {
        size_t used = strlen(read);
        snprintf(read + used, sizeof(read) - used, "[%.*s|%.*s]", BYTES_FORMAT(form.fields[i].name),
                 BYTES_FORMAT(form.fields[i].value));
    }
    assert_string_equal(read, expected);
}

static void fields_are_read_in_their_order(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"&", ""},
        {"a=b", "[a|b]"},
        {"a=b&c=d&a=e", "[a|b][c|d][a|e]"},
        {"&&a=b&&", "[a|b]"},
        {"a", "[a|]"},
        {"=b", "[|b]"},
        {"=", "[|]"},
        {"a=b=c", "[a|b=c]"},
        {"a+b=c%20d", "[a b|c d]"},
        {"%61%3d=%26%2B%25", "[a=|&+%]"},
        {"a=%c3%A9", "[a|\xc3\xa9]"},
        {"a=\xc3\xa9;b=c", "[a|\xc3\xa9;b=c]"},
    };
    struct arena arena;
    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_form(&arena, cases[i][0], cases[i][1]);
    arena_fini(&arena);
}

static void what_is_no_form_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"%",     "a=%",   "a=%4",   "a=%4g", "a=%g4",   "%00=a",
                                        "a=%00", "a=%ff", "a=\xff", "a=%c3", "a=b&c=%", "a=%ed%a0%80"};
    struct arena arena;
    struct http_form form;
    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (http_form_parse(bytes_of_text(texts[i]), &arena, &form) != STATUS_MALFORMED)
            fail_msg("%s", texts[i]);
    assert_int_equal(http_form_parse(BYTES_LITERAL("a=\0b"), &arena, &form), STATUS_MALFORMED);
    arena_fini(&arena);
}

static void there_is_a_limit_of_fields(void **state) {
    (void)state;
    char text[(HTTP_FORM_FIELDS_MAX + 1) * 2];
    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "a&", 2);
    struct arena arena;
    struct http_form form;
    arena_init(&arena, 0);
    assert_int_equal(http_form_parse(bytes_of(text, sizeof(text) - 2), &arena, &form), STATUS_OK);
    assert_int_equal(form.count, HTTP_FORM_FIELDS_MAX);
    assert_int_equal(http_form_parse(bytes_of(text, sizeof(text)), &arena, &form), STATUS_TOO_LARGE);
    arena_fini(&arena);
}

static bool parse(void *context) {
    (void)context;
    struct arena arena;
    struct http_form form;
    arena_init(&arena, 0);
    enum status status = http_form_parse(BYTES_LITERAL("a=b&c=d"), &arena, &form);
    arena_fini(&arena);
    return status == STATUS_OK;
}

static void without_memory_there_is_no_form(void **state) {
    (void)state;
    allocation_failure_try_each(parse, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_in_their_order),
        cmocka_unit_test(what_is_no_form_is_refused),
        cmocka_unit_test(there_is_a_limit_of_fields),
        cmocka_unit_test(without_memory_there_is_no_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
