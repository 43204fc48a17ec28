// --watch: a command's output again and again, each time that it changes.
#ifndef LATCHKEY_SERVICES_CLI_WATCH_H
#define LATCHKEY_SERVICES_CLI_WATCH_H

#include "common/base/compiler.h"
#include "services/cli/cli.h"

// Runs `print` once; with --watch, which the command's options have, every two seconds until the user ends it
// (exit code 130) or it fails. On a terminal each output takes the place of the one before; elsewhere they
// follow each other, and one that is the same is not repeated.
MUST_CHECK enum exit_code watch_run(struct cli *cli, enum exit_code (*print)(struct cli *cli));

#endif
