#include "services/cli/manual.h"

#include <string.h>

#include "common/base/roff.h"
#include "services/cli/command.h"
#include "services/cli/exit_code.h"
#include "services/cli/variable.h"

static void print_sentence(const char *text, FILE *to) {
    char sentence[400];
    snprintf(sentence, sizeof(sentence), "%s.", text);
    roff_print_text(to, sentence);
}

static void print_choices(const char *const *choices, FILE *to) {
    fputs("One of", to);
    for (const char *const *choice = choices; *choice; choice++) {
        fputs(choice[1] || choice == choices ? "\n.Cm" : "\nor\n.Cm", to);
        roff_print_words(to, *choice);
        if (choice[1] && choice[2])
            fputs(" ,", to);
    }
    fputs(" .\n", to);
}

static void print_option(const struct option *option, FILE *to) {
    char flag[80];
    snprintf(flag, sizeof(flag), "-%s", option->name);
    fputs(".It Fl", to);
    roff_print_words(to, flag);
    if (option->value_name) {
        fputs(" Ar", to);
        roff_print_words(to, option->value_name);
    }
    fputc('\n', to);
    roff_print_text(to, option->help);
    if (option->choices)
        print_choices(option->choices, to);
}

static void print_options(struct option_table table, FILE *to) {
    if (table.count == 0)
        return;
    fputs(".Bl -tag -width Ds\n", to);
    for (size_t i = 0; i < table.count; i++)
        print_option(&table.options[i], to);
    fputs(".El\n", to);
}

static void print_command(const struct command *command, FILE *to) {
    fputs(".It Ic", to);
    roff_print_words(to, command->noun);
    if (command->verb)
        roff_print_words(to, command->verb);
    if (command->arguments) {
        fputs(" Ar", to);
        roff_print_words(to, command->arguments);
    }
    fputc('\n', to);
    print_sentence(command->summary, to);
    if (command->details)
        roff_print_help(to, command->details);
    print_options(command->options, to);
}

static void print_commands(FILE *to) {
    fputs(".Sh COMMANDS\n.Bl -tag -width Ds\n", to);
    for (size_t i = 0; i < command_get_count(); i++)
        print_command(command_get(i), to);
    fputs(".El\n", to);
}

static void print_variables(FILE *to) {
    fputs(".Sh ENVIRONMENT\n.Bl -tag -width Ds\n", to);
    for (size_t i = 0; i < variable_count; i++) {
        fputs(".It Ev", to);
        roff_print_words(to, variables[i].names);
        fputc('\n', to);
        print_sentence(variables[i].help, to);
    }
    fputs(".El\n", to);
}

static void print_exit_codes(FILE *to) {
    fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n", to);
#define ROW(name, number, text)      \
    fprintf(to, ".It %d\n", number); \
    print_sentence(text, to);
    EXIT_CODE_TABLE(ROW)
#undef ROW
    fputs(".El\n", to);
}

void manual_print_page(FILE *to) {
    fputs(".Dd " LATCHKEY_RELEASED "\n"
          ".Dt LATCHKEY 1\n"
          ".Os\n"
          ".Sh NAME\n"
          ".Nm latchkey\n"
          ".Nd access tokens, IP allowlists and the decision, from the command line\n"
          ".Sh SYNOPSIS\n"
          ".Nm\n"
          ".Ar COMMAND\n"
          ".Op Ar OPTION ...\n"
          ".Op Ar ARGUMENT ...\n"
          ".Sh DESCRIPTION\n",
          to);
    roff_print_text(
        to,
        "Manages Latchkey's companies, members, access tokens and whitelists, and asks whether a token is "
        "admitted. Options and arguments stand behind the command in any order.");
    print_commands(to);
    fputs(".Sh OPTIONS\nEvery command takes these.\n", to);
    print_options(command_common_options, to);
    print_variables(to);
    print_exit_codes(to);
}
