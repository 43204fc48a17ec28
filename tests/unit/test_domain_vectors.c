// Every line of tests/vectors/domain_patterns.txt: what is typed is stored like that, or refused for that
// reason.
#include <stdio.h>
#include <string.h>

#include "common/access/domain.h"
#include "tests/unit/unit.h"
#include "tests/unit/vectors.h"

static const char *const result_names[] = {
#define RESULT_NAME(name, text) #name,
    DOMAIN_PARSE_TABLE(RESULT_NAME)
#undef RESULT_NAME
};

static void check(const char *expected, struct bytes typed) {
    struct domain_pattern pattern;
    char stored[DOMAIN_PATTERN_TEXT_MAX + 1];
    enum domain_parse_result result = domain_pattern_parse(typed, &pattern);
    if (result == DOMAIN_PARSE_OK)
        domain_pattern_format(&pattern, stored);
    const char *told = result == DOMAIN_PARSE_OK ? stored : result_names[result];
    if (strcmp(told, expected) != 0)
        fail_msg("\"%.*s\": %s, expected %s", BYTES_FORMAT(typed), told, expected);
}

static void every_text_becomes_what_stands_before_it(void **state) {
    (void)state;
    assert_true(vectors_read("tests/vectors/domain_patterns.txt", check) >= 150);
}

// What is stored is read again by validators, and by an update of another field.
static void check_again(const char *expected, struct bytes typed) {
    struct domain_pattern pattern, again;
    char stored[DOMAIN_PATTERN_TEXT_MAX + 1], stored_again[DOMAIN_PATTERN_TEXT_MAX + 1];
    (void)expected;
    if (domain_pattern_parse(typed, &pattern) != DOMAIN_PARSE_OK)
        return;
    domain_pattern_format(&pattern, stored);
    assert_int_equal(domain_pattern_parse(bytes_of_text(stored), &again), DOMAIN_PARSE_OK);
    domain_pattern_format(&again, stored_again);
    assert_string_equal(stored, stored_again);
}

static void what_is_stored_reads_as_itself(void **state) {
    (void)state;
    vectors_read("tests/vectors/domain_patterns.txt", check_again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_becomes_what_stands_before_it),
        cmocka_unit_test(what_is_stored_reads_as_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
