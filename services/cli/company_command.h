// `latchkey company ...`.
#ifndef LATCHKEY_SERVICES_CLI_COMPANY_COMMAND_H
#define LATCHKEY_SERVICES_CLI_COMPANY_COMMAND_H

#include "services/cli/cli.h"

extern const struct command_list company_commands; // company_commands.c

enum exit_code company_command_create(struct cli *cli);
enum exit_code company_command_show(struct cli *cli);
enum exit_code company_command_list(struct cli *cli);
enum exit_code company_command_update(struct cli *cli);
enum exit_code company_command_suspend(struct cli *cli);
enum exit_code company_command_resume(struct cli *cli);

#endif
