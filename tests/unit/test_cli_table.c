// Tables and lists of properties, as they are printed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/compiler.h"
#include "services/cli/table.h"
#include "services/cli/terminal.h"
#include "tests/unit/unit.h"

static struct arena arena;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void assert_printed(const struct table *table, size_t width, const char *expected) {
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    table_print(table, width, to);
    fclose(to);
    assert_string_equal(text, expected);
    free(text);
}

static const char *const headings[] = {"ID", "LABEL", "NOTE"};

static void columns_are_as_wide_as_their_widest_cell(void **state) {
    (void)state;
    struct table table;
    table_init(&table, &arena, headings, ARRAY_LENGTH(headings));
    table_add(&table, (const char *const[]){"1", "long label", "x"});
    table_add(&table, (const char *const[]){"22", "l", "y"});
    assert_printed(&table, TABLE_UNCUT,
                   "ID  LABEL       NOTE\n"
                   "1   long label  x\n"
                   "22  l           y\n");
}

static void an_empty_table_has_its_headings_only(void **state) {
    (void)state;
    struct table table;
    table_init(&table, &arena, headings, ARRAY_LENGTH(headings));
    assert_printed(&table, TABLE_UNCUT, "ID  LABEL  NOTE\n");
    table_init(&table, &arena, NULL, 2);
    assert_printed(&table, TABLE_UNCUT, "");
}

static void no_line_ends_in_white_space(void **state) {
    (void)state;
    struct table table;
    table_init(&table, &arena, NULL, 3);
    table_add(&table, (const char *const[]){"a", "", NULL});
    table_add(&table, (const char *const[]){"b", "", "c"});
    assert_printed(&table, TABLE_UNCUT, "a\nb    c\n");
}

static void widths_count_characters_and_not_bytes(void **state) {
    (void)state;
    struct table table;
    table_init(&table, &arena, NULL, 2);
    table_add(&table, (const char *const[]){"Z\xc3\xbcrich", "x"});
    table_add(&table, (const char *const[]){"Berlin", "y"});
    assert_printed(&table, TABLE_UNCUT, "Z\xc3\xbcrich  x\nBerlin  y\n");
}

#define JAPAN "\xe6\x97\xa5\xe6\x9c\xac" // two characters, four columns
#define ACCENT "e\xcc\x81"               // e and a combining acute accent, one column

static void wide_characters_take_two_columns_and_accents_none(void **state) {
    (void)state;
    struct table table;
    table_init(&table, &arena, NULL, 2);
    table_add(&table, (const char *const[]){JAPAN, "x"});
    table_add(&table, (const char *const[]){"five5", "y"});
    table_add(&table, (const char *const[]){ACCENT, "z"});
    assert_printed(&table, TABLE_UNCUT, JAPAN "   x\nfive5  y\n" ACCENT "      z\n");
    table_init(&table, &arena, NULL, 3);
    table_add(&table, (const char *const[]){"1", JAPAN JAPAN JAPAN, "x"});
    assert_printed(&table, 14, "1  " JAPAN "\xe6\x97\xa5\xe2\x80\xa6   x\n");
}

static void the_widest_column_but_the_first_is_cut_to_the_terminal(void **state) {
    (void)state;
    struct table table;
    table_init(&table, &arena, NULL, 3);
    table_add(&table, (const char *const[]){"tok_0123456789", "a label of some length", "short"});
    // 14 and 13 and 5 characters, and two gaps.
    assert_printed(&table, 36, "tok_0123456789  a label of s\xe2\x80\xa6  short\n");
    // Too narrow for anything: no column falls below eight.
    assert_printed(&table, 10, "tok_0123456789  a label\xe2\x80\xa6  short\n");
}

static void a_character_is_never_cut_in_two(void **state) {
    (void)state;
    struct table table;
    table_init(&table, &arena, NULL, 2);
    table_add(&table,
              (const char *const[]){"x", "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
                                         "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"});
    assert_printed(&table, 11,
                   "x  \xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
                   "\xe2\x80\xa6\n");
}

static void properties_without_a_value_are_left_out(void **state) {
    (void)state;
    struct table table;
    table_init(&table, &arena, NULL, 2);
    table_add_property(&table, "label", "till 7");
    table_add_property(&table, "note", "");
    table_add_property(&table, "end", NULL);
    table_add_property(&table, "", "more");
    assert_printed(&table, TABLE_UNCUT, "label  till 7\n       more\n");
}

static void control_characters_never_reach_the_terminal(void **state) {
    (void)state;
    struct table table;
    table_init(&table, &arena, NULL, 1);
    table_add(&table, (const char *const[]){"a\033[2Jb\nc\x7f\xc2\x9b"
                                            "d\xc2\xa0"
                                            "e"});
    assert_printed(&table, TABLE_UNCUT,
                   "a?[2Jb?c??d\xc2\xa0"
                   "e\n");
    static const char clean[] = "Z\xc3\xbcrich";
    assert_ptr_equal(terminal_clean(&arena, clean), clean);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(columns_are_as_wide_as_their_widest_cell),
        CASE(an_empty_table_has_its_headings_only),
        CASE(no_line_ends_in_white_space),
        CASE(widths_count_characters_and_not_bytes),
        CASE(wide_characters_take_two_columns_and_accents_none),
        CASE(the_widest_column_but_the_first_is_cut_to_the_terminal),
        CASE(a_character_is_never_cut_in_two),
        CASE(properties_without_a_value_are_left_out),
        CASE(control_characters_never_reach_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
