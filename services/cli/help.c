#include "services/cli/help.h"

#include <stdbool.h>
#include <string.h>

#include "services/cli/variable.h"

#define NAME_COLUMN 34
#define OPTION_COLUMN 28

static void print_command_line(const struct command *command, FILE *to) {
    char name[80];
    snprintf(name, sizeof(name), "%s%s%s%s%s", command->noun, command->verb ? " " : "",
             command->verb ? command->verb : "", command->arguments ? " " : "",
             command->arguments ? command->arguments : "");
    fprintf(to, "  %-*s  %s\n", NAME_COLUMN, name, command->summary);
}

static void print_options(struct option_table table, FILE *to) {
    for (size_t i = 0; i < table.count; i++) {
        const struct option *option = &table.options[i];
        char name[80];
        snprintf(name, sizeof(name), "--%s%s%s", option->name, option->value_name ? " " : "",
                 option->value_name ? option->value_name : "");
        fprintf(to, "  %-*s  %s\n", OPTION_COLUMN, name, option->help);
        if (!option->choices)
            continue;
        fprintf(to, "  %-*s  one of:", OPTION_COLUMN, "");
        for (const char *const *choice = option->choices; *choice; choice++)
            fprintf(to, " %s", *choice);
        fputc('\n', to);
    }
}

static void print_exit_codes(FILE *to) {
    fputs("\nExit codes:\n", to);
#define EXIT_CODE_LINE(name, number, text) fprintf(to, "  %d  %s\n", number, text);
    EXIT_CODE_TABLE(EXIT_CODE_LINE)
#undef EXIT_CODE_LINE
}

// Several names have lines of their own, the last of them the sentence.
static void print_variables(FILE *to) {
    fputs("\nEnvironment:\n", to);
    for (size_t i = 0; i < variable_count; i++) {
        const char *names = variables[i].names;
        for (const char *end; (end = strchr(names, ' ')); names = end + 1)
            fprintf(to, "  %.*s\n", (int)(end - names), names);
        fprintf(to, "  %-*s  %s\n", OPTION_COLUMN, names, variables[i].help);
    }
}

void help_print_all(FILE *to) {
    fputs(
        "usage: latchkey COMMAND [OPTION...] [ARGUMENT...]\n\n"
        "Manages Latchkey's companies, members, access tokens and whitelists, and asks whether a token is admitted.\n\n"
        "Commands (`latchkey help COMMAND` says more about one):\n",
        to);
    for (size_t i = 0; i < command_get_count(); i++)
        print_command_line(command_get(i), to);
    fputs("\nOptions of every command:\n", to);
    print_options(command_common_options, to);
    print_variables(to);
    print_exit_codes(to);
}

void help_print_noun(const char *noun, FILE *to) {
    fprintf(to, "usage: latchkey %s COMMAND [OPTION...]\n\nCommands:\n", noun);
    for (size_t i = 0; i < command_get_count(); i++)
        if (strcmp(command_get(i)->noun, noun) == 0)
            print_command_line(command_get(i), to);
}

void help_print_command(const struct command *command, FILE *to) {
    fprintf(to, "usage: latchkey %s%s%s%s%s%s\n\n%s.\n", command->noun, command->verb ? " " : "",
            command->verb ? command->verb : "", command->options.count ? " [OPTION...]" : "",
            command->arguments ? " " : "", command->arguments ? command->arguments : "", command->summary);
    if (command->details)
        fprintf(to, "%s\n", command->details);
    if (command->options.count) {
        fputs("\nOptions:\n", to);
        print_options(command->options, to);
    }
    fputs("\nOptions of every command:\n", to);
    print_options(command_common_options, to);
}

static bool is_first_of_noun(size_t index) {
    for (size_t i = 0; i < index; i++)
        if (strcmp(command_get(i)->noun, command_get(index)->noun) == 0)
            return false;
    return true;
}

static void print_words(struct option_table table, FILE *to) {
    for (size_t i = 0; i < table.count; i++)
        fprintf(to, " --%s", table.options[i].name);
}

// Common options that take a value: they may stand in front of the command.
static void print_value_options(FILE *to) {
    const struct option_table table = command_common_options;
    fputs("      ", to);
    for (size_t i = 0, count = 0; i < table.count; i++)
        if (table.options[i].type != OPTION_FLAG)
            fprintf(to, "%s--%s", count++ > 0 ? "|" : "", table.options[i].name);
    fputs(") is_value=1 ;;\n", to);
}

static void print_nouns(FILE *to) {
    for (size_t i = 0; i < command_get_count(); i++)
        if (is_first_of_noun(i))
            fprintf(to, " %s", command_get(i)->noun);
}

static void print_verbs(FILE *to) {
    for (size_t i = 0; i < command_get_count(); i++) {
        const char *noun = command_get(i)->noun;
        if (!command_noun_has_verbs(noun) || !is_first_of_noun(i))
            continue;
        fprintf(to, "    %s) words=\"", noun);
        for (size_t k = i; k < command_get_count(); k++)
            if (strcmp(command_get(k)->noun, noun) == 0 && command_get(k)->verb)
                fprintf(to, "%s%s", k == i ? "" : " ", command_get(k)->verb);
        fputs("\" ;;\n", to);
    }
}

// Behind "NOUN VERB", or behind any command where the noun is NULL.
static void print_value_case(const char *noun, const char *verb, const struct option *option, FILE *to) {
    if (!option->choices)
        return;
    if (noun)
        fprintf(to, "    \"%s %s\"", noun, verb ? verb : "");
    else
        fputs("    ", to);
    fprintf(to, "*--%s) words=\"", option->name);
    for (const char *const *choice = option->choices; *choice; choice++)
        fprintf(to, "%s%s", choice == option->choices ? "" : " ", *choice);
    fputs("\" ;;\n", to);
}

// Options whose value is one of a few words.
static void print_value_cases(FILE *to) {
    for (size_t i = 0; i < command_get_count(); i++) {
        const struct command *command = command_get(i);
        for (size_t k = 0; k < command->options.count; k++)
            print_value_case(command->noun, command->verb, &command->options.options[k], to);
    }
    for (size_t k = 0; k < command_common_options.count; k++)
        print_value_case(NULL, NULL, &command_common_options.options[k], to);
}

// Commands whose argument is a file's name.
static void print_file_cases(FILE *to) {
    for (size_t i = 0; i < command_get_count(); i++) {
        const struct command *command = command_get(i);
        if (command->arguments && strcmp(command->arguments, "FILE") == 0)
            fprintf(to, "    \"%s %s \"-*) ;;\n    \"%s %s \"*) is_file=1 ;;\n", command->noun, command->verb,
                    command->noun, command->verb);
    }
}

void help_print_bash_completion(FILE *to) {
    fputs(
        "# Completion of `latchkey` for bash, written by `latchkey completion bash`.\n"
        "_latchkey() {\n"
        "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words= noun= verb= word\n"
        "  local is_value= is_file=\n"
        "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "    if [[ $is_value ]]; then is_value=; continue; fi\n"
        "    case $word in\n",
        to);
    print_value_options(to);
    fputs("      -*) ;;\n"
          "      *) if [[ -z $noun ]]; then noun=$word; elif [[ -z $verb ]]; then verb=$word; fi ;;\n"
          "    esac\n"
          "  done\n"
          "  local command=\"$noun $verb\"\n"
          "  case \"$command $current\" in\n",
          to);
    print_file_cases(to);
    fputs(
        "  esac\n"
        "  [[ $previous == --*-file || $previous == --file || $previous == --tls-@(ca|certificate|key) ]] && "
        "is_file=1\n"
        "  if [[ $is_file ]]; then\n"
        "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
        "    compopt -o filenames 2>/dev/null\n"
        "    return\n"
        "  fi\n"
        "  if [[ $is_value ]]; then :\n"
        "  elif [[ -z $noun ]]; then words=\"",
        to);
    print_nouns(to);
    fputs("\"\n"
          "  elif [[ $noun == help && $verb ]]; then case $verb in\n",
          to);
    print_verbs(to);
    fputs("  esac\n"
          "  elif [[ -z $verb ]]; then case $noun in\n",
          to);
    print_verbs(to);
    fputs("    help) words=\"", to);
    print_nouns(to);
    fputs("\" ;;\n"
          "    completion) words=bash ;;\n"
          "  esac; fi\n"
          "  if [[ $current == -* && -z $is_value ]]; then case $command in\n"
          "    \" \") words=\"",
          to);
    print_words(command_common_options, to);
    fputs("\" ;;\n", to);
    for (size_t i = 0; i < command_get_count(); i++) {
        fprintf(to, "    \"%s %s\"*) words=\"", command_get(i)->noun,
                command_get(i)->verb ? command_get(i)->verb : "");
        print_words(command_get(i)->options, to);
        print_words(command_common_options, to);
        fputs("\" ;;\n", to);
    }
    fputs("  esac; fi\n"
          "  case $command$previous in\n",
          to);
    print_value_cases(to);
    fputs("  esac\n"
          "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
          "}\n"
          "complete -F _latchkey latchkey\n",
          to);
}
