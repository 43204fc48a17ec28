// Files that the command line reads and writes: the permission catalogue, and variables for a shell.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/cli/env_text.h"
#include "services/cli/permissions_file.h"
#include "tests/unit/unit.h"

static struct arena arena;
static struct fault fault;
static struct permissions_file file;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static enum status parse(const char *text) {
    return permissions_file_parse(bytes_of_text(text), &arena, &fault, &file);
}

static void assert_bad(const char *text, const char *field, const char *part) {
    fault_init(&fault, &arena);
    assert_int_equal(parse(text), STATUS_INVALID);
    assert_string_equal(fault.fields->field, field);
    if (!strstr(fault.fields->description, part))
        fail_msg("\"%s\" lacks \"%s\"", fault.fields->description, part);
}

static void names_and_descriptions_are_read_line_by_line(void **state) {
    (void)state;
    assert_int_equal(parse("# ours\n\ncharges.create     Charge a customer\r\n"
                           "\trefunds.create\tGive money back  \n  # more\nreports.yearly_sums.read"),
                     STATUS_OK);
    assert_int_equal(file.count, 3);
    assert_true(bytes_is_text(file.names[0], "charges.create"));
    assert_true(bytes_is_text(file.descriptions[0], "Charge a customer"));
    assert_true(bytes_is_text(file.names[1], "refunds.create"));
    assert_true(bytes_is_text(file.descriptions[1], "Give money back"));
    assert_true(bytes_is_text(file.names[2], "reports.yearly_sums.read"));
    assert_int_equal(file.descriptions[2].len, 0);
}

static void an_empty_file_is_an_empty_catalogue(void **state) {
    (void)state;
    assert_int_equal(parse(""), STATUS_OK);
    assert_int_equal(file.count, 0);
    assert_int_equal(parse("# nothing\n"), STATUS_OK);
    assert_int_equal(file.count, 0);
}

static void a_bad_line_is_named_with_what_to_type_instead(void **state) {
    (void)state;
    assert_bad("a.b\ncharges\n", "line 2", "\"charges\" is no permission");
    assert_bad("Charges.create x", "line 1", "such as charges.create");
    assert_bad("charges.*", "line 1", "is no permission");
    assert_bad("card-charges.create", "line 1", "is no permission");
    assert_bad("latchkey.tokens.read  mine", "line 1", "always there");
    assert_bad("a.b \xff", "line 1", "UTF-8");
    assert_bad("a.b one\nc.d\na.b two\n", "names", "a.b stands there twice");
}

static void a_nul_is_told(void **state) {
    (void)state;
    assert_int_equal(permissions_file_parse(BYTES_LITERAL("a.b x\0y\n"), &arena, &fault, &file),
                     STATUS_INVALID);
    assert_non_null(strstr(fault.fields->description, "NUL"));
}

static void every_bad_line_is_told_at_once(void **state) {
    (void)state;
    assert_int_equal(parse("x\na.b\ny\nz z z"), STATUS_INVALID);
    assert_int_equal(fault.field_count, 3);
    assert_string_equal(fault.fields->next->field, "line 3");
    assert_string_equal(fault.fields->next->next->field, "line 4");
}

static void descriptions_have_their_limit_in_characters(void **state) {
    (void)state;
    char text[4 + 2 * 501 + 1] = "a.b ";
    for (int i = 0; i < 500; i++)
        memcpy(text + 4 + 2 * i, "\xc3\xbc", 3);
    assert_int_equal(parse(text), STATUS_OK);
    memcpy(text + 4 + 2 * 500, "\xc3\xbc", 3);
    assert_bad(text, "line 1", "500 characters");
}

// ---- variables ----

static void values_are_quoted_and_absent_ones_left_out(void **state) {
    (void)state;
    const struct env_variable variables[] = {
        {"A", "plain"}, {"B", NULL}, {"C", ""}, {"D", "it's $HOME `x` \"y\""}};
    assert_string_equal(env_text_format(&arena, variables, ARRAY_LENGTH(variables)),
                        "A='plain'\nC=''\nD='it'\\''s $HOME `x` \"y\"'");
    assert_string_equal(env_text_format(&arena, variables, 0), "");
}

// The values reach a program as they were, whatever is in them.
static void a_shell_reads_back_what_was_written(void **state) {
    (void)state;
    static const char value[] = "it's $HOME `id` \"q\" \\ ; * 'x' & <>";
    const struct env_variable variables[] = {{"UNIT_TEST_VALUE", value}};
    const char *script =
        arena_format(&arena, "%s; printf %%s \"$UNIT_TEST_VALUE\"", env_text_format(&arena, variables, 1));
    FILE *shell = popen(script, "r");
    assert_non_null(shell);
    char read[sizeof(value) + 1];
    size_t len = fread(read, 1, sizeof(read), shell);
    assert_int_equal(pclose(shell), 0);
    assert_int_equal(len, sizeof(value) - 1);
    assert_memory_equal(read, value, len);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(names_and_descriptions_are_read_line_by_line),
        CASE(an_empty_file_is_an_empty_catalogue),
        CASE(a_bad_line_is_named_with_what_to_type_instead),
        CASE(a_nul_is_told),
        CASE(every_bad_line_is_told_at_once),
        CASE(descriptions_have_their_limit_in_characters),
        CASE(values_are_quoted_and_absent_ones_left_out),
        CASE(a_shell_reads_back_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
