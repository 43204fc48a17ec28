// `latchkey login ...`: login tokens, and recent authentications.
#ifndef LATCHKEY_SERVICES_CLI_LOGIN_COMMAND_H
#define LATCHKEY_SERVICES_CLI_LOGIN_COMMAND_H

#include "services/cli/cli.h"

extern const struct command_list login_commands; // login_commands.c

enum exit_code login_command_create(struct cli *cli);
enum exit_code login_command_list(struct cli *cli);
enum exit_code login_command_end(struct cli *cli);

#endif
