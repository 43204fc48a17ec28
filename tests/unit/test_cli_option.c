// Options of the command line: what is taken, and what is said about what is not.
#include <string.h>

#include "common/base/clock.h"
#include "services/cli/option.h"
#include "tests/unit/unit.h"

static const char *const shapes[] = {"round", "square", NULL};
static const struct option own[] = {
    {.name = "force", .type = OPTION_FLAG, .help = "-"},
    {.name = "label", .type = OPTION_TEXT, .value_name = "LABEL", .help = "-"},
    {.name = "permission", .type = OPTION_LIST, .value_name = "PERMISSION", .help = "-"},
    {.name = "address", .type = OPTION_LIST, .value_name = "ADDRESS", .help = "-", .none = "any"},
    {.name = "draft", .type = OPTION_WORD, .value_name = "DRAFT", .help = "-"},
    {.name = "in", .type = OPTION_WORD, .value_name = "FILE", .help = "-"},
    {.name = "metadata", .type = OPTION_PAIRS, .value_name = "KEY=VALUE", .help = "-"},
    {.name = "for", .type = OPTION_DURATION, .value_name = "TIME", .help = "-", .rival = "until"},
    {.name = "wait", .type = OPTION_DURATION, .value_name = "TIME", .help = "-"},
    {.name = "until", .type = OPTION_TIME, .value_name = "TIME", .help = "-"},
    {.name = "bits", .type = OPTION_INTEGER, .value_name = "BITS", .help = "-", .max = 128},
    {.name = "shape", .type = OPTION_CHOICE, .value_name = "SHAPE", .help = "-", .choices = shapes},
};
static const struct option common[] = {{.name = "json", .type = OPTION_FLAG, .help = "-"}};
static const struct option_table tables[] = {{own, ARRAY_LENGTH(own)}, {common, ARRAY_LENGTH(common)}};

static struct arena arena;
static struct options options;
static char error[400];

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    error[0] = '\0';
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static bool read(const char *const *words, size_t count) {
    char **copies = ARENA_NEW_ARRAY(&arena, char *, count); // argv is not const
    for (size_t i = 0; i < count; i++)
        copies[i] = arena_copy_text(&arena, words[i]);
    return options_read(tables, ARRAY_LENGTH(tables), copies, count, &arena, &options, error, sizeof(error));
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__})
#define READ(...) read(WORDS(__VA_ARGS__), ARRAY_LENGTH(WORDS(__VA_ARGS__)))

static void assert_refused(bool is_read, const char *sentence) {
    assert_false(is_read);
    assert_string_equal(error, sentence);
}

static void values_follow_as_a_word_or_behind_an_equals_sign(void **state) {
    (void)state;
    assert_true(READ("--label", "till 7"));
    assert_string_equal(options_find_text(&options, "label"), "till 7");
    assert_true(READ("--label=a=b"));
    assert_string_equal(options_find_text(&options, "label"), "a=b");
    assert_true(READ("--label="));
    assert_string_equal(options_find_text(&options, "label"), "");
    assert_true(READ("--label", "--force"));
    assert_string_equal(options_find_text(&options, "label"), "--force");
    assert_false(options_has(&options, "force"));
}

static void options_and_arguments_stand_in_any_order(void **state) {
    (void)state;
    assert_true(READ("one", "--json", "two", "--label", "x", "-", "--", "--force", "-z"));
    assert_int_equal(options.argument_count, 5);
    assert_string_equal(options.arguments[1], "two");
    assert_string_equal(options.arguments[2], "-");
    assert_string_equal(options.arguments[3], "--force");
    assert_string_equal(options.arguments[4], "-z");
    assert_true(options_has(&options, "json"));
    assert_false(options_has(&options, "force"));
}

static void every_value_of_a_list_counts_and_a_text_has_one(void **state) {
    (void)state;
    size_t count;
    assert_true(READ("--label=a", "--permission=a.b, c.d", "--permission", "e.f"));
    assert_string_equal(options_find_text(&options, "label"), "a");
    assert_refused(READ("--label=a", "--label", "a"), "--label is given twice");
    assert_refused(READ("--wait=1s", "--wait", "2s"), "--wait is given twice");
    assert_true(READ("--force", "--force"));
    assert_true(READ("--label=a", "--permission=a.b, c.d", "--permission", "e.f"));
    const char **items = options_get_list(&options, "permission", &arena, &count);
    assert_int_equal(count, 3);
    assert_string_equal(items[0], "a.b");
    assert_string_equal(items[1], "c.d");
    assert_string_equal(items[2], "e.f");
    assert_true(READ("--force"));
    assert_non_null(options_get_list(&options, "permission", &arena, &count));
    assert_int_equal(count, 0);
    assert_null(options_find_text(&options, "label"));
}

static void numbers_are_in_their_unit_and_have_defaults(void **state) {
    (void)state;
    assert_true(READ("--wait", "5s", "--bits=24", "--until=1970-01-01T00:00:01Z", "--shape", "round"));
    assert_int_equal(options_get_number(&options, "wait", 0), 5000);
    assert_int_equal(options_get_number(&options, "bits", -1), 24);
    assert_int_equal(options_get_number(&options, "until", 0), 1000);
    assert_true(READ("--force"));
    assert_int_equal(options_get_number(&options, "bits", -1), -1);
}

static void an_unknown_option_is_told_with_the_nearest_known_one(void **state) {
    (void)state;
    assert_refused(READ("--lable", "x"), "there is no option --lable; did you mean --label?");
    assert_refused(READ("--jsn"), "there is no option --jsn; did you mean --json?");
    assert_refused(READ("--nothing-like-it"), "there is no option --nothing-like-it; --help lists them");
    assert_refused(READ("-f"),
                   "there is no option -f: options are words behind two dashes; --help lists them");
    assert_refused(READ("-json"), "options begin with two dashes: --json");
}

static void a_missing_or_needless_value_is_told(void **state) {
    (void)state;
    assert_refused(READ("--label"), "--label needs a value: --label LABEL");
    assert_refused(READ("--force=yes"), "--force takes no value");
}

static void a_bad_value_is_told_with_what_is_allowed(void **state) {
    (void)state;
    assert_false(READ("--wait", "5"));
    assert_non_null(strstr(error, "--wait is \"5\", but must be a duration such as"));
    assert_false(READ("--wait", "0s"));
    assert_false(READ("--bits", "129"));
    assert_non_null(strstr(error, "from 0 to 128"));
    assert_false(READ("--bits", "-1"));
    assert_false(READ("--bits", "1x"));
    assert_refused(READ("--shape", "oval"), "--shape is \"oval\", but must be one of round square");
    assert_refused(READ("--until", "tomorrow"), "--until is \"tomorrow\", but must be a time such as "
                                                "2027-01-31T18:00:00Z, or a date such as 2027-01-31");
}

static void an_empty_value_never_stands_for_anything(void **state) {
    (void)state;
    size_t count;
    assert_refused(READ("--address", ""), "--address is empty: type ADDRESS, or any");
    assert_refused(READ("--address=10.0.0.0/8,,10.0.0.1"), "--address is empty: type ADDRESS, or any");
    assert_refused(READ("--permission", " "),
                   "--permission is empty: type PERMISSION, or leave the option out");
    assert_refused(READ("--draft="), "--draft is empty: type DRAFT, or leave the option out");
    assert_true(READ("--address", "any", "--draft", "x", "--label", ""));
    assert_non_null(options_get_list(&options, "address", &arena, &count));
    assert_int_equal(count, 0);
}

static void what_contradicts_itself_is_refused_in_any_order(void **state) {
    (void)state;
    assert_refused(READ("--for", "2h", "--until", "2027-01-31"), "say --for or --until, not both");
    assert_refused(READ("--until", "2027-01-31", "--for", "2h"), "say --for or --until, not both");
    assert_true(READ("--for", "2h"));
    assert_true(READ("--until", "2027-01-31"));
    assert_refused(READ("--metadata=a=1,b=2", "--metadata", "a=3"), "--metadata has the key a twice");
    assert_refused(READ("--metadata=a=1, a=1"), "--metadata has the key a twice");
    assert_true(READ("--metadata=a=1,b=2", "--metadata", "c=a"));
}

static void only_names_of_files_may_be_no_utf8(void **state) {
    (void)state;
    assert_refused(READ("--label", "\xff"), "--label is not UTF-8");
    assert_refused(READ("--permission", "a.b,\xc3"), "--permission is not UTF-8");
    assert_true(READ("--label",
                     "Gr\xc3\xb6\xc3\x9f"
                     "e",
                     "--in", "\xff"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(values_follow_as_a_word_or_behind_an_equals_sign),
        CASE(options_and_arguments_stand_in_any_order),
        CASE(every_value_of_a_list_counts_and_a_text_has_one),
        CASE(numbers_are_in_their_unit_and_have_defaults),
        CASE(an_unknown_option_is_told_with_the_nearest_known_one),
        CASE(a_missing_or_needless_value_is_told),
        CASE(a_bad_value_is_told_with_what_is_allowed),
        CASE(an_empty_value_never_stands_for_anything),
        CASE(what_contradicts_itself_is_refused_in_any_order),
        CASE(only_names_of_files_may_be_no_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
