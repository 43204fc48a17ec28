// `latchkey migrate`: the schema, and the deployment's part of the permission catalogue.
#ifndef LATCHKEY_SERVICES_CLI_MIGRATE_COMMAND_H
#define LATCHKEY_SERVICES_CLI_MIGRATE_COMMAND_H

#include "services/cli/cli.h"

enum exit_code migrate_command_run(struct cli *cli);

#endif
