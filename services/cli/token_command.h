// `latchkey token ...`.
#ifndef LATCHKEY_SERVICES_CLI_TOKEN_COMMAND_H
#define LATCHKEY_SERVICES_CLI_TOKEN_COMMAND_H

#include "services/cli/cli.h"

extern const struct command_list token_commands; // token_commands.c

enum exit_code token_command_create(struct cli *cli); // token_create_command.c
enum exit_code token_command_list(struct cli *cli);
enum exit_code token_command_show(struct cli *cli);
enum exit_code token_command_update(struct cli *cli); // token_change_command.c
enum exit_code token_command_suspend(struct cli *cli);
enum exit_code token_command_resume(struct cli *cli);
enum exit_code token_command_rotate(struct cli *cli);
enum exit_code token_command_deactivate(struct cli *cli); // token_deactivate_command.c
enum exit_code token_command_import(struct cli *cli);     // token_import_command.c
enum exit_code token_command_report(struct cli *cli);

#endif
