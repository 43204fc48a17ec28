// Trace context: the one form of `traceparent` that is taken, and whatever else names no trace.
#include <stdint.h>
#include <string.h>

#include "common/app/trace_context.h"
#include "common/base/compiler.h"
#include "tests/unit/unit.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define WHOLE "00-" TRACE "-" SPAN "-01"

static bool is_taken(const char *traceparent, size_t len) {
    struct trace_context context = trace_context_parse(bytes_of(traceparent, len));
    assert_int_equal(context.trace_id[0] == '\0', context.span_id[0] == '\0');
    return context.trace_id[0] != '\0';
}

static void both_ids_are_those_that_the_caller_sent(void **state) {
    (void)state;
    static const char *const taken[] = {
        WHOLE,
        "00-" TRACE "-" SPAN "-00",
        "00-" TRACE "-" SPAN "-ff",          // flags that are not known yet
        "01-" TRACE "-" SPAN "-01",          // a later version
        "cc-" TRACE "-" SPAN "-01-whatever", // with more behind
        "fe-" TRACE "-" SPAN "-01-",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(taken); i++) {
        struct trace_context context = trace_context_parse(bytes_of_text(taken[i]));
        assert_string_equal(context.trace_id, TRACE);
        assert_string_equal(context.span_id, SPAN);
    }
}

static void what_has_not_the_one_form_names_no_trace(void **state) {
    (void)state;
    static const char *const refused[] = {
        "",
        "00",
        "00-" TRACE "-" SPAN,
        "00-" TRACE "-" SPAN "-",
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-001",
        WHOLE "-",
        WHOLE "-more",
        WHOLE " ",
        " " WHOLE,
        "ff-" TRACE "-" SPAN "-01",
        "0-" TRACE "-" SPAN "-01",
        "000-" TRACE "-" SPAN "-01",
        "0A-" TRACE "-" SPAN "-01",
        "01-" TRACE "-" SPAN "-01.more",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
        "00-" TRACE "-B7AD6B7169203331-01",
        "00-" TRACE "-" SPAN "-0g",
        "00-0af7651916cd43dd8448eb211c80319-" SPAN "-01",
        "00-0af7651916cd43dd8448eb211c80319cc-" SPAN "-01",
        "00_" TRACE "_" SPAN "_01",
        "00-0af7651916cd43dd8448eb211c80319\"-" SPAN "-01",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        assert_false(is_taken(refused[i], strlen(refused[i])));
    assert_false(is_taken(NULL, 0));
}

static void each_octet_counts(void **state) {
    (void)state;
    for (size_t at = 0; at < strlen(WHOLE); at++) {
        for (int octet = 0; octet < 256; octet++) {
            char text[] = WHOLE;
            text[at] = (char)octet;
            bool is_digit = WHOLE[at] != '-' && octet != 0 && strchr("0123456789abcdef", octet) != NULL;
            bool is_last_version = memcmp(text, "ff", 2) == 0;
            bool is_right = (is_digit && !is_last_version) || text[at] == WHOLE[at];
            assert_int_equal(is_taken(text, strlen(WHOLE)), is_right);
        }
    }
}

static void every_shorter_piece_is_refused(void **state) {
    (void)state;
    for (size_t len = 0; len < strlen(WHOLE); len++)
        assert_false(is_taken(WHOLE, len));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ids_are_those_that_the_caller_sent),
        cmocka_unit_test(what_has_not_the_one_form_names_no_trace),
        cmocka_unit_test(each_octet_counts),
        cmocka_unit_test(every_shorter_piece_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
