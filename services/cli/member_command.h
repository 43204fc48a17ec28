// `latchkey member ...`.
#ifndef LATCHKEY_SERVICES_CLI_MEMBER_COMMAND_H
#define LATCHKEY_SERVICES_CLI_MEMBER_COMMAND_H

#include "services/cli/cli.h"

extern const struct command_list member_commands; // member_commands.c

enum exit_code member_command_list(struct cli *cli);
enum exit_code member_command_show(struct cli *cli);
enum exit_code member_command_create(struct cli *cli);
enum exit_code member_command_update(struct cli *cli);
enum exit_code member_command_remove(struct cli *cli);

#endif
