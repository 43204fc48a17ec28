// `latchkey token ...`.
#ifndef LATCHKEY_SERVICES_CLI_TOKEN_COMMAND_H
#define LATCHKEY_SERVICES_CLI_TOKEN_COMMAND_H

#include "services/cli/cli.h"

enum exit_code token_command_create(struct cli *cli); // token_create_command.c
enum exit_code token_command_list(struct cli *cli);
enum exit_code token_command_show(struct cli *cli);
enum exit_code token_command_deactivate(struct cli *cli);

#endif
