// The commands that speak to PostgreSQL itself, such as `migrate` and `bootstrap`: opening a connection,
// running one transaction, and saying what to do when either fails.
#ifndef LATCHKEY_SERVICES_CLI_SQL_H
#define LATCHKEY_SERVICES_CLI_SQL_H

#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/db/connection.h"
#include "common/db/transaction.h"
#include "services/cli/cli.h"

#define SQL_OWNER_ROLE "latchkey_owner"

// Where --database-direct-url says, else --database-url, else the variables of the same names. No role is
// taken yet. EXIT_CODE_DONE or what cli_fail() said.
MUST_CHECK enum exit_code sql_open(struct cli *cli, struct db_connection **ret_connection);

// Whether the schema is this version's. The same.
MUST_CHECK enum exit_code sql_check_schema(struct cli *cli, struct db_connection *connection);

// Whatever a failed statement is returned as goes through db_fault(), or `fault` says better.
typedef enum status sql_work(struct db_transaction *transaction, struct fault *fault, void *context);

// One transaction as the owner of the schema, committed if `work` returns OK. EXIT_CODE_DONE or what was told
// about the failure, after which nothing is changed (or, with EXIT_CODE_UNAVAILABLE, the outcome is unknown).
MUST_CHECK enum exit_code sql_run(struct cli *cli, struct db_connection *connection, sql_work *work,
                                  void *context);

#endif
