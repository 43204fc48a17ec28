// `latchkey role ...`.
#ifndef LATCHKEY_SERVICES_CLI_ROLE_COMMAND_H
#define LATCHKEY_SERVICES_CLI_ROLE_COMMAND_H

#include "services/cli/cli.h"

extern const struct command_list role_commands; // role_commands.c

enum exit_code role_command_list(struct cli *cli);
enum exit_code role_command_create(struct cli *cli);
enum exit_code role_command_update(struct cli *cli);
enum exit_code role_command_delete(struct cli *cli);

#endif
