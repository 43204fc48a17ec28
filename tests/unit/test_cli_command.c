// The table of commands, and what is written from it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/cli/command.h"
#include "services/cli/help.h"
#include "tests/unit/unit.h"

// What a function prints; free() it.
static char *print(void (*function)(FILE *to)) {
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    function(to);
    fclose(to);
    return text;
}

static char *print_command(const struct command *command) {
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    help_print_command(command, to);
    fclose(to);
    return text;
}

static void assert_holds(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("\"%s\" is missing in:\n%s", part, text);
}

static void every_command_is_found_by_its_words_and_can_run(void **state) {
    (void)state;
    for (size_t i = 0; i < command_get_count(); i++) {
        const struct command *command = command_get(i);
        assert_ptr_equal(command_find(command->noun, command->verb), command);
        assert_true(!command->verb || command_noun_has_verbs(command->noun));
        assert_non_null(command->run);
        assert_non_null(command->summary);
        assert_true(command->min_arguments <= command->max_arguments);
        assert_int_equal(command->max_arguments > 0, command->arguments != NULL);
    }
    assert_null(command_find("token", NULL));
    assert_null(command_find("token", "nothing"));
    assert_null(command_find("caller", "show"));
    assert_false(command_noun_has_verbs("nothing"));
}

static void no_option_of_a_command_hides_a_common_one_or_stands_twice(void **state) {
    (void)state;
    for (size_t i = 0; i < command_get_count(); i++) {
        const struct option_table table = command_get(i)->options;
        for (size_t k = 0; k < table.count; k++) {
            const char *name = table.options[k].name;
            assert_null(option_find(&command_common_options, 1, name));
            assert_ptr_equal(option_find(&table, 1, name), &table.options[k]);
            assert_int_equal(table.options[k].type == OPTION_FLAG, table.options[k].value_name == NULL);
            assert_true(table.options[k].type != OPTION_CHOICE || table.options[k].choices);
        }
    }
}

static void help_names_every_command_and_every_exit_code(void **state) {
    (void)state;
    char *text = print(help_print_all);
    for (size_t i = 0; i < command_get_count(); i++) {
        assert_holds(text, command_get(i)->noun);
        assert_holds(text, command_get(i)->summary);
    }
#define EXIT_CODE_HOLDS(name, number, words) assert_holds(text, words);
    EXIT_CODE_TABLE(EXIT_CODE_HOLDS)
    free(text);
}

static void help_of_a_command_names_every_option_of_it(void **state) {
    (void)state;
    for (size_t i = 0; i < command_get_count(); i++) {
        char *text = print_command(command_get(i));
        struct option_table tables[] = {command_get(i)->options, command_common_options};
        for (size_t t = 0; t < ARRAY_LENGTH(tables); t++) {
            for (size_t k = 0; k < tables[t].count; k++) {
                assert_holds(text, tables[t].options[k].name);
                assert_holds(text, tables[t].options[k].help);
            }
        }
        if (command_get(i)->details)
            assert_holds(text, command_get(i)->details);
        free(text);
    }
}

static void help_of_a_noun_names_its_verbs_and_no_others(void **state) {
    (void)state;
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    help_print_noun("token", to);
    fclose(to);
    assert_holds(text, "token deactivate [TOKEN-ID]");
    assert_null(strstr(text, "whitelist"));
    free(text);
}

static void a_typing_error_leads_to_the_nearest_word(void **state) {
    (void)state;
    assert_string_equal(command_find_nearest_noun("tokn"), "token");
    assert_string_equal(command_find_nearest_noun("witelist"), "whitelist");
    assert_string_equal(command_find_nearest_noun("vaildate"), "validate");
    assert_string_equal(command_find_nearest_verb("token", "creat"), "create");
    assert_string_equal(command_find_nearest_verb("whitelist", "remov"), "remove");
    assert_null(command_find_nearest_verb("token", "enable"));
    assert_null(command_find_nearest_noun("zzzzzz"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_found_by_its_words_and_can_run),
        cmocka_unit_test(no_option_of_a_command_hides_a_common_one_or_stands_twice),
        cmocka_unit_test(help_names_every_command_and_every_exit_code),
        cmocka_unit_test(help_of_a_command_names_every_option_of_it),
        cmocka_unit_test(help_of_a_noun_names_its_verbs_and_no_others),
        cmocka_unit_test(a_typing_error_leads_to_the_nearest_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
