// Every line of tests/vectors/ip_prefixes.txt: what is typed becomes that range, or is refused for that
// reason.
#include <string.h>

#include "common/ip/prefix.h"
#include "tests/unit/unit.h"
#include "tests/unit/vectors.h"

static const char *const result_names[] = {
#define RESULT_NAME(name, text) #name,
    IP_PARSE_TABLE(RESULT_NAME)
#undef RESULT_NAME
};

static void check(const char *expected, struct bytes typed) {
    struct ip_prefix prefix = {0};
    char text[IP_PREFIX_TEXT_MAX + 1];
    enum ip_parse_result result = ip_prefix_parse(typed, &prefix);
    ip_prefix_format(&prefix, text);
    const char *told = result == IP_PARSE_OK ? text : result_names[result];
    if (strcmp(told, expected) != 0)
        fail_msg("\"%.*s\": %s, expected %s", BYTES_FORMAT(typed), told, expected);
}

static void every_text_becomes_what_stands_before_it(void **state) {
    (void)state;
    assert_true(vectors_read("tests/vectors/ip_prefixes.txt", check) >= 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_text_becomes_what_stands_before_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
