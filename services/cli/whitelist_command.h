// `latchkey whitelist ...`.
#ifndef LATCHKEY_SERVICES_CLI_WHITELIST_COMMAND_H
#define LATCHKEY_SERVICES_CLI_WHITELIST_COMMAND_H

#include "services/cli/cli.h"

extern const struct command_list whitelist_commands; // whitelist_commands.c

enum exit_code whitelist_command_show(struct cli *cli);
enum exit_code whitelist_command_enable(struct cli *cli);
enum exit_code whitelist_command_disable(struct cli *cli);
enum exit_code whitelist_command_confirm(struct cli *cli);
enum exit_code whitelist_command_check(struct cli *cli);
enum exit_code whitelist_command_add(struct cli *cli); // whitelist_change_command.c
enum exit_code whitelist_command_update(struct cli *cli);
enum exit_code whitelist_command_remove(struct cli *cli);
enum exit_code whitelist_command_preview(struct cli *cli); // whitelist_preview_command.c
enum exit_code whitelist_command_import(struct cli *cli);  // whitelist_import_command.c
enum exit_code whitelist_command_export(struct cli *cli);  // whitelist_export_command.c

#endif
