#include "services/cli/cli.h"

#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "services/cli/calls.h"
#include "services/cli/fault_text.h"
#include "services/cli/help.h"
#include "services/cli/json_print.h"
#include "services/cli/secret_text.h"
#include "services/cli/terminal.h"

#define ERROR_MAX 400

void cli_must(enum status status) {
    if (status == STATUS_OK)
        return;
    assert(status == STATUS_NO_MEMORY);
    fputs("latchkey: out of memory\n", stderr);
    exit(EXIT_CODE_FAILED);
}

void *cli_need(void *pointer) {
    cli_must(pointer ? STATUS_OK : STATUS_NO_MEMORY);
    return pointer;
}

const char *cli_format(struct cli *cli, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = arena_format_args(&cli->arena, format, args);
    va_end(args);
    return cli_need(text);
}

const char *cli_get_variable(const struct cli *cli, const char *name) {
    size_t len = strlen(name);
    for (char *const *entry = cli->environment; *entry; entry++)
        if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
            return (*entry)[len + 1] ? *entry + len + 1 : NULL;
    return NULL;
}

static void print_json_error(struct cli *cli, json_t *error) {
    json_t *object = json_pack("{s:o}", "error", error);
    if (object)
        json_dumpf(object, cli->err, JSON_INDENT(2));
    fputc('\n', cli->err);
    json_decref(object);
}

enum exit_code cli_fail(struct cli *cli, enum exit_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = cli_need(arena_format_args(&cli->arena, format, args));
    va_end(args);
    if (cli->is_json)
        print_json_error(cli, json_pack("{s:s, s:s, s:i}", "message", text, "status",
                                        grpc_code_get_name(exit_code_to_grpc(code)), "exit_code", (int)code));
    else
        fprintf(cli->err, "latchkey: %s\n", terminal_clean(&cli->arena, text));
    return code;
}

static json_t *details_to_json(const struct fault *fault) {
    json_t *details = json_object();
    for (const struct fault_detail *detail = fault->details; detail; detail = detail->next)
        json_object_set_new(details, detail->key, json_string(detail->value));
    return details;
}

static void print_fault_as_json(struct cli *cli, const struct fault *fault, enum exit_code code) {
    print_json_error(
        cli, json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:i}", "message", fault_text_get_message(fault),
                       "status", grpc_code_get_name(grpc_code_from_status(fault->status)), "reason",
                       fault->reason ? fault->reason : "", "fields", json_print_new_fields(fault), "details",
                       details_to_json(fault), "retry_after_ms", (json_int_t)fault->retry_after_ms,
                       "exit_code", (int)code));
}

// Reasons of a server that is not reached for long: another program listens there, or the two have no trust
// in each other. Trying again does not help.
static bool is_lasting(const char *reason) {
    static const char *const lasting[] = {"NOT_GRPC", "TLS_FAILED", "TLS_REQUIRED"};
    for (size_t i = 0; i < ARRAY_LENGTH(lasting); i++)
        if (strcmp(reason, lasting[i]) == 0)
            return true;
    return false;
}

enum exit_code cli_fail_with_fault(struct cli *cli, const struct fault *fault) {
    enum exit_code code = exit_code_from_status(fault->status);
    if (fault->retry_after_ms > 0)
        code = EXIT_CODE_UNAVAILABLE;
    else if (fault->status == STATUS_EXHAUSTED) // a limit that does not move by itself
        code = EXIT_CODE_REFUSED;
    if (fault->reason && is_lasting(fault->reason))
        code = EXIT_CODE_FAILED;
    if (cli->is_json)
        print_fault_as_json(cli, fault, code);
    else
        fault_text_print(cli, fault);
    return code;
}

// The words that name a command, found in front of everything else but common options.
struct words {
    const char *noun, *verb;
    size_t rest; // index in argv of what follows
};

static bool is_option(const char *word) {
    return word[0] == '-' && word[1] != '\0';
}

// How many words an option in front of the command takes: common ones may come there.
static size_t count_option_words(const char *word) {
    const struct option *option = option_find(&command_common_options, 1, word + (word[1] == '-' ? 2 : 1));
    return option && option->type != OPTION_FLAG ? 2 : 1;
}

static struct words find_words(int argc, char **argv) {
    struct words words = {.rest = (size_t)argc};
    size_t i = 1;
    while (i < (size_t)argc && is_option(argv[i]))
        i += count_option_words(argv[i]);
    if (i >= (size_t)argc)
        return words;
    words.noun = argv[i++];
    if (command_noun_has_verbs(words.noun) && i < (size_t)argc && !is_option(argv[i]))
        words.verb = argv[i++];
    words.rest = i;
    return words;
}

enum exit_code cli_fail_without_command(struct cli *cli, const char *noun, const char *verb) {
    if (!command_noun_has_verbs(noun)) {
        const char *nearest = command_find_nearest_noun(noun);
        if (nearest)
            return cli_fail(cli, EXIT_CODE_USAGE, "there is no command \"%s\"; did you mean \"%s\"?", noun,
                            nearest);
        return cli_fail(cli, EXIT_CODE_USAGE, "there is no command \"%s\"; `latchkey help` lists them", noun);
    }
    if (!verb)
        return cli_fail(cli, EXIT_CODE_USAGE, "\"%s\" needs a second word; `latchkey help %s` lists them",
                        noun, noun);
    const char *nearest = command_find_nearest_verb(noun, verb);
    if (nearest)
        return cli_fail(cli, EXIT_CODE_USAGE, "there is no command \"%s %s\"; did you mean \"%s %s\"?", noun,
                        verb, noun, nearest);
    return cli_fail(cli, EXIT_CODE_USAGE, "there is no command \"%s %s\"; `latchkey help %s` lists them",
                    noun, verb, noun);
}

// A secret on the command line is already seen, but it must not come to be relied on.
static bool refuse_secrets(struct cli *cli, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (!secret_text_is_in(argv[i]) && strncmp(argv[i], "--token=", 8) != 0 &&
            strcmp(argv[i], "--token") != 0)
            continue;
        cli_fail(
            cli, EXIT_CODE_USAGE,
            "a secret never stands on the command line, where other users and the shell's history see it; put "
            "your token into LATCHKEY_TOKEN or name its file with --token-file, and a token to validate into "
            "LATCHKEY_VALIDATE_TOKEN or --secret-file. Treat the one just typed as leaked");
        return false;
    }
    return true;
}

static enum exit_code check_argument_texts(struct cli *cli) {
    const char *names = cli->command->arguments;
    for (size_t i = 0; i < cli->options.argument_count; i++)
        if (names && strcmp(names, "FILE") != 0 && !bytes_is_utf8(bytes_of_text(cli->options.arguments[i])))
            return cli_fail(cli, EXIT_CODE_USAGE, "argument %zu behind the command is not UTF-8", i + 1);
    return EXIT_CODE_DONE;
}

static enum exit_code check_argument_count(struct cli *cli) {
    const struct command *command = cli->command;
    size_t count = cli->options.argument_count;
    if (count >= command->min_arguments && count <= command->max_arguments)
        return EXIT_CODE_DONE;
    const char *verb = command->verb ? command->verb : "", *space = command->verb ? " " : "";
    if (count > command->max_arguments)
        return cli_fail(cli, EXIT_CODE_USAGE,
                        "\"%s\" is one argument too many; `latchkey help %s%s%s` says more",
                        cli->options.arguments[command->max_arguments], command->noun, space, verb);
    return cli_fail(cli, EXIT_CODE_USAGE, "usage: latchkey %s%s%s %s", command->noun, space, verb,
                    command->arguments);
}

// All but the command's own words, which were found already.
static enum exit_code read_options(struct cli *cli, int argc, char **argv, struct words words) {
    static char help[] = "--help";
    char **rest = ARENA_NEW_ARRAY(&cli->arena, char *, (size_t)argc);
    cli_need(rest);
    size_t count = 0;
    for (size_t i = 1; i < (size_t)argc; i++)
        if (argv[i] != words.noun && argv[i] != words.verb)
            rest[count++] = strcmp(argv[i], "-h") == 0 ? help : argv[i];
    const struct option_table tables[] = {cli->command->options, command_common_options};
    char error[ERROR_MAX];
    if (!options_read(tables, ARRAY_LENGTH(tables), rest, count, &cli->arena, &cli->options, error,
                      sizeof(error)))
        return cli_fail(cli, EXIT_CODE_USAGE, "%s", error);
    cli->is_json = options_has(&cli->options, "json");
    if (options_has(&cli->options, "help"))
        return EXIT_CODE_DONE;
    enum exit_code code = check_argument_count(cli);
    return code == EXIT_CODE_DONE ? check_argument_texts(cli) : code;
}

static bool has_word(int argc, char **argv, const char *word) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static bool asks_for_help(int argc, char **argv) {
    return has_word(argc, argv, "--help") || has_word(argc, argv, "-h");
}

static enum exit_code run(struct cli *cli, int argc, char **argv) {
    cli->is_json = has_word(argc, argv, "--json");
    if (!refuse_secrets(cli, argc, argv))
        return EXIT_CODE_USAGE;
    struct words words = find_words(argc, argv);
    if (!words.noun && has_word(argc, argv, "--version"))
        words.noun = "version";
    if (!words.noun) {
        help_print_all(asks_for_help(argc, argv) ? cli->out : cli->err);
        return asks_for_help(argc, argv) ? EXIT_CODE_DONE : EXIT_CODE_USAGE;
    }
    if (command_noun_has_verbs(words.noun) && !words.verb && asks_for_help(argc, argv)) {
        help_print_noun(words.noun, cli->out);
        return EXIT_CODE_DONE;
    }
    cli->command = command_find(words.noun, words.verb);
    if (!cli->command)
        return cli_fail_without_command(cli, words.noun, words.verb);
    enum exit_code code = read_options(cli, argc, argv, words);
    if (code != EXIT_CODE_DONE)
        return code;
    if (options_has(&cli->options, "help")) {
        help_print_command(cli->command, cli->out);
        return EXIT_CODE_DONE;
    }
    return cli->command->run(cli);
}

int cli_main(int argc, char **argv, char *const *environment) {
    struct cli cli = {.environment = environment, .in = stdin, .out = stdout, .err = stderr};
    arena_init(&cli.arena, 0);
    enum exit_code code = run(&cli, argc, argv);
    calls_end(&cli);
    // A full disk or a closed pipe behind standard output: what was printed did not arrive.
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_CODE_DONE)
        code = cli_fail(&cli, EXIT_CODE_FAILED, "standard output could not be written");
    arena_fini(&cli.arena);
    return (int)code;
}
