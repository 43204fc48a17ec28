#include "services/cli/plain_command.h"

#include <string.h>

#include "services/cli/help.h"
#include "services/cli/manual.h"

enum exit_code plain_command_help(struct cli *cli) {
    const char **words = cli->options.arguments;
    size_t count = cli->options.argument_count;
    if (count == 0) {
        help_print_all(cli->out);
        return EXIT_CODE_DONE;
    }
    if (count == 1 && command_noun_has_verbs(words[0])) {
        help_print_noun(words[0], cli->out);
        return EXIT_CODE_DONE;
    }
    const char *verb = count > 1 && command_noun_has_verbs(words[0]) ? words[1] : NULL;
    const struct command *command = command_find(words[0], verb);
    if (!command)
        return cli_fail_without_command(cli, words[0], verb);
    help_print_command(command, cli->out);
    return EXIT_CODE_DONE;
}

enum exit_code plain_command_version(struct cli *cli) {
    if (cli->is_json)
        fputs("{\n  \"version\": \"" LATCHKEY_VERSION "\"\n}\n", cli->out);
    else
        fputs("latchkey " LATCHKEY_VERSION "\n", cli->out);
    return EXIT_CODE_DONE;
}

enum exit_code plain_command_manual(struct cli *cli) {
    manual_print_page(cli->out);
    return EXIT_CODE_DONE;
}

enum exit_code plain_command_completion(struct cli *cli) {
    if (strcmp(cli->options.arguments[0], "bash") != 0)
        return cli_fail(cli, EXIT_CODE_USAGE, "there is completion for bash only, not for \"%s\"",
                        cli->options.arguments[0]);
    help_print_bash_completion(cli->out);
    return EXIT_CODE_DONE;
}
