#include "services/cli/confirm.h"

#include <string.h>

#include "services/cli/terminal.h"

enum exit_code confirm_ask(struct cli *cli, const char *question) {
    char answer[8];
    if (options_has(&cli->options, "yes"))
        return EXIT_CODE_DONE;
    if (!terminal_is_one(cli->in))
        return cli_fail(cli, EXIT_CODE_USAGE, "this can't be undone, and there is nobody to ask: say --yes");
    fprintf(cli->err, "%s [y/N] ", terminal_clean(&cli->arena, question));
    fflush(cli->err);
    if (fgets(answer, sizeof(answer), cli->in) &&
        (strcmp(answer, "y\n") == 0 || strcmp(answer, "Y\n") == 0 || strcmp(answer, "yes\n") == 0))
        return EXIT_CODE_DONE;
    return cli_fail(cli, EXIT_CODE_NO, "not done");
}
