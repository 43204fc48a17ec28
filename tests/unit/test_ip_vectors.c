// Every line of tests/vectors/ip_prefixes.txt: what is typed becomes that range, or is refused for that
// reason.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/compiler.h"
#include "common/ip/prefix.h"
#include "tests/unit/unit.h"

#define VECTORS "tests/vectors/ip_prefixes.txt" // tests run at the root of the tree

static const char *const result_names[] = {
#define RESULT_NAME(name, text) #name,
    IP_PARSE_TABLE(RESULT_NAME)
#undef RESULT_NAME
};

// "\x20" is a space; in place.
static size_t unescape(char *text) {
    size_t len = 0;
    for (const char *from = text; *from; len++) {
        if (from[0] == '\\' && from[1] == 'x') {
            const char digits[] = {from[2], from[3], '\0'};
            text[len] = (char)strtoul(digits, NULL, 16);
            from += 4;
        } else {
            text[len] = *from++;
        }
    }
    return len;
}

static void check_line(const char *expected, struct bytes typed) {
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
    char *line = NULL;
    size_t size = 0, count = 0;
    FILE *file = fopen(VECTORS, "r");
    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *typed = strchr(line, '\t');
        if (line[0] == '#' || !typed)
            continue;
        *typed++ = '\0';
        size_t len = unescape(typed);
        check_line(line, bytes_of(typed, len));
        count++;
    }
    free(line);
    fclose(file);
    assert_true(count >= 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_text_becomes_what_stands_before_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
