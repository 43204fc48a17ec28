// `latchkey invitation ...`.
#ifndef LATCHKEY_SERVICES_CLI_INVITATION_COMMAND_H
#define LATCHKEY_SERVICES_CLI_INVITATION_COMMAND_H

#include "services/cli/cli.h"

extern const struct command_list invitation_commands; // invitation_commands.c

enum exit_code invitation_command_create(struct cli *cli); // invitation_create_command.c
enum exit_code invitation_command_list(struct cli *cli);
enum exit_code invitation_command_show(struct cli *cli);
enum exit_code invitation_command_resend(struct cli *cli);
enum exit_code invitation_command_deactivate(struct cli *cli);
enum exit_code invitation_command_lookup(struct cli *cli); // invitation_link_command.c
enum exit_code invitation_command_accept(struct cli *cli);

#endif
