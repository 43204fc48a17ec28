// The commands that ask nobody: `help`, `version`, `manual`, `completion`.
#ifndef LATCHKEY_SERVICES_CLI_PLAIN_COMMAND_H
#define LATCHKEY_SERVICES_CLI_PLAIN_COMMAND_H

#include "services/cli/cli.h"

// Setting up and asking, and these; plain_commands.c.
extern const struct command_list setup_commands, plain_commands;

enum exit_code plain_command_help(struct cli *cli);
enum exit_code plain_command_version(struct cli *cli);
enum exit_code plain_command_manual(struct cli *cli);
enum exit_code plain_command_completion(struct cli *cli);

#endif
