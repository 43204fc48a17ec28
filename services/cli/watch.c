#include "services/cli/watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/cli/calls.h"
#include "services/cli/terminal.h"

#define PERIOD_S 2
#define CLEAR "\033[H\033[2J" // the screen; what was there before can still be scrolled to

// What the command prints, in memory of its own; the arena is the round's.
static enum exit_code print_to_text(struct cli *cli, enum exit_code (*print)(struct cli *cli),
                                    char **ret_text) {
    size_t len;
    FILE *out = cli->out;
    struct arena arena = cli->arena;
    cli->out = cli_need(open_memstream(ret_text, &len));
    arena_init(&cli->arena, 0);
    enum exit_code code = print(cli);
    arena_fini(&cli->arena);
    fclose(cli->out);
    cli->arena = arena;
    cli->out = out;
    cli_need(*ret_text);
    return code;
}

static void show(struct cli *cli, const char *text) {
    if (terminal_has_sequences(cli->out))
        fputs(CLEAR, cli->out);
    fputs(text, cli->out);
    fflush(cli->out);
}

static void wait_a_while(void) {
    const struct timespec period = {.tv_sec = PERIOD_S};
    nanosleep(&period, NULL);
}

enum exit_code watch_run(struct cli *cli, enum exit_code (*print)(struct cli *cli)) {
    if (!options_has(&cli->options, "watch"))
        return print(cli);
    enum exit_code code = calls_begin(cli); // what it keeps is not the round's
    char *shown = NULL;
    while (code == EXIT_CODE_DONE) {
        char *text = NULL;
        code = print_to_text(cli, print, &text);
        if (!shown || strcmp(shown, text) != 0)
            show(cli, text);
        free(shown);
        shown = text;
        if (code == EXIT_CODE_DONE && !ferror(cli->out))
            wait_a_while();
        else
            break;
    }
    free(shown);
    return code;
}
