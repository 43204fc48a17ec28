// `latchkey audit ...`: the log read, verified, and rid of what it says about a member.
#ifndef LATCHKEY_SERVICES_CLI_AUDIT_COMMAND_H
#define LATCHKEY_SERVICES_CLI_AUDIT_COMMAND_H

#include "services/cli/cli.h"

extern const struct command_list audit_commands; // audit_commands.c

extern const struct command_list audit_commands; // audit_commands.c

enum exit_code audit_command_list(struct cli *cli);
enum exit_code audit_command_verify(struct cli *cli);
enum exit_code audit_command_erase(struct cli *cli); // by SQL, as `bootstrap`

#endif
