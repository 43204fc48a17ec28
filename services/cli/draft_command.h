// `latchkey draft ...`: lists in the making.
#ifndef LATCHKEY_SERVICES_CLI_DRAFT_COMMAND_H
#define LATCHKEY_SERVICES_CLI_DRAFT_COMMAND_H

#include "services/cli/cli.h"

extern const struct command_list draft_commands; // whitelist_commands.c

enum exit_code draft_command_create(struct cli *cli);
enum exit_code draft_command_list(struct cli *cli);
enum exit_code draft_command_show(struct cli *cli);
enum exit_code draft_command_publish(struct cli *cli);
enum exit_code draft_command_discard(struct cli *cli);

#endif
