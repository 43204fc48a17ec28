// One run of `latchkey`: what was typed, where output goes, and how a command ends. One thread, one arena
// that is never freed by hand; a run that finds no memory ends at once.
#ifndef LATCHKEY_SERVICES_CLI_CLI_H
#define LATCHKEY_SERVICES_CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "services/cli/command.h"
#include "services/cli/exit_code.h"
#include "services/cli/option.h"

struct servers;

struct cli {
    struct arena arena;
    const struct command *command;
    struct options options;
    char *const *environment; // NULL-terminated, NAME=value
    FILE *in, *out, *err;
    bool is_json;            // --json
    struct servers *servers; // calls.c; NULL until the first call
};

// main(): the exit code. Streams and environment are borrowed.
int cli_main(int argc, char **argv, char *const *environment);

// The value of NAME; NULL if it is unset or empty.
const char *cli_get_variable(const struct cli *cli, const char *name);

// Ends the run when memory ran out, which is all that `status` may say beside OK: other failures of building
// a message are programmer's mistakes.
void cli_must(enum status status);
// The same for what an arena returned.
void *cli_need(void *pointer);

// Formats into the arena.
const char *cli_format(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);

// Says on standard error what went wrong, as a sentence or with --json as an object, and returns the code.
enum exit_code cli_fail(struct cli *cli, enum exit_code code, const char *format, ...) PRINTF_LIKE(3, 4);

// The same for a fault: message, reason, every bad field, when to try again, and what to do next.
enum exit_code cli_fail_with_fault(struct cli *cli, const struct fault *fault);

// The same for a command that is not there: which one may be meant, or where they are listed. `verb` NULL =
// none typed.
enum exit_code cli_fail_without_command(struct cli *cli, const char *noun, const char *verb);

#endif
