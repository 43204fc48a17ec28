#include "services/cli/migrate_command.h"

#include <jansson.h>
#include <string.h>

#include "common/app/audit.h"
#include "common/base/typeid.h"
#include "common/db/migrate.h"
#include "services/cli/json_print.h"
#include "services/cli/permissions_file.h"
#include "services/cli/sql.h"

enum { LIST_DROPPED, DESCRIBE, REPLACE };

static const struct db_statement statements[] = {
    [LIST_DROPPED] =
        {"catalogue_list_dropped",
         "SELECT name FROM latchkey.permission WHERE NOT fixed AND name <> ALL ($1) ORDER BY name"},
    // For the log of the operator, who is not there yet before the bootstrap.
    [DESCRIBE] = {"catalogue_describe",
                  "SELECT (SELECT company_id FROM latchkey.company WHERE is_operator), json_build_object("
                  "'permissions', coalesce(json_agg(name || ' ' || description ORDER BY name), '[]'))::text"
                  " FROM latchkey.permission WHERE NOT fixed"},
    [REPLACE] = {"catalogue_replace", "SELECT latchkey.permission_replace($1, $2)"},
};

struct catalogue {
    const struct permissions_file *file;
    struct arena *arena;
    const char **dropped; // names that were in the catalogue and are not any more
    size_t dropped_count;
    bool may_drop;
};

static bool copy_dropped(struct catalogue *catalogue, const struct db_result *rows) {
    size_t count = (size_t)db_result_get_row_count(rows);
    catalogue->dropped = ARENA_NEW_ARRAY(catalogue->arena, const char *, count);
    for (size_t i = 0; catalogue->dropped && i < count; i++) {
        const char *name = db_result_copy_text(rows, (int)i, 0, catalogue->arena);
        if (!name)
            return false;
        catalogue->dropped[catalogue->dropped_count++] = name;
    }
    return catalogue->dropped != NULL;
}

// Tokens lose what is dropped at once, and a line may be missing by mistake.
static enum status refuse_to_drop(const struct catalogue *catalogue, struct fault *fault) {
    fault_set(
        fault, STATUS_FAILED_PRECONDITION, "DROPS_PERMISSIONS",
        "the file lacks permissions that the catalogue has, and tokens and roles that were granted them "
        "would lose them at once; add the lines, or say --drop-permissions; the catalogue stays as it was");
    for (size_t i = 0; i < catalogue->dropped_count; i++)
        fault_add_field(fault, catalogue->dropped[i], "is not in the file");
    return STATUS_FAILED_PRECONDITION;
}

// The catalogue is the deployment's: who changed it stands in the operator's log.
static enum status note_change(struct db_transaction *transaction, struct fault *fault,
                               const struct catalogue *catalogue, const struct db_result *before,
                               const struct db_result *after) {
    struct uuid operator_company = db_result_get_uuid_or_zero(after, 0, 0);
    const char *was = db_result_copy_text(before, 0, 1, catalogue->arena);
    const char *is = db_result_copy_text(after, 0, 1, catalogue->arena);
    if (!was || !is)
        return STATUS_NO_MEMORY;
    if (uuid_is_zero(operator_company) || strcmp(was, is) == 0)
        return STATUS_OK;
    struct app_call call = {.arena = catalogue->arena,
                            .fault = fault,
                            .transaction = transaction,
                            .company_id = operator_company,
                            .system = "migrate"};
    enum status status =
        audit_note_text(&call, "permissions.set", typeid_of(TYPEID_COMPANY, operator_company).text, was, is);
    return status == STATUS_OK ? audit_flush(&call) : status;
}

static enum status replace(struct db_transaction *transaction, struct fault *fault, void *context) {
    struct catalogue *catalogue = context;
    const struct permissions_file *file = catalogue->file;
    struct db_params names, both;
    db_params_init(&names, catalogue->arena);
    db_params_add_text_array(&names, file->names, file->count);
    db_params_init(&both, catalogue->arena);
    db_params_add_text_array(&both, file->names, file->count);
    db_params_add_text_array(&both, file->descriptions, file->count);
    struct db_command commands[] = {{&statements[LIST_DROPPED], &names, NULL},
                                    {&statements[DESCRIBE], NULL, NULL},
                                    {&statements[REPLACE], &both, NULL},
                                    {&statements[DESCRIBE], NULL, NULL}};
    enum status status = db_query_batch(transaction, commands, ARRAY_LENGTH(commands));
    if (status == STATUS_OK && !copy_dropped(catalogue, commands[0].result))
        return STATUS_NO_MEMORY;
    if (status == STATUS_OK && catalogue->dropped_count > 0 && !catalogue->may_drop)
        return refuse_to_drop(catalogue, fault);
    return status == STATUS_OK
               ? note_change(transaction, fault, catalogue, commands[1].result, commands[3].result)
               : status;
}

static void print_applied(const char *name) {
    printf("applied %s\n", name);
}

static enum exit_code migrate(struct cli *cli, struct db_connection *connection,
                              struct db_migrate_report *ret_report) {
    enum status status = db_migrate(connection, db_migrations_get_embedded(), DB_NO_DEADLINE,
                                    cli->is_json ? NULL : print_applied, ret_report);
    if (status != STATUS_OK)
        return cli_fail(cli, exit_code_from_status(status), "%s", ret_report->sentence);
    return EXIT_CODE_DONE;
}

static void print_json(const struct db_migrate_report *report, const struct catalogue *catalogue) {
    json_t *json = json_pack("{s:i, s:i}", "applied", (int)report->applied, "schema", (int)report->number);
    if (catalogue->file) {
        json_t *dropped = json_array();
        for (size_t i = 0; i < catalogue->dropped_count; i++)
            json_array_append_new(dropped, json_string(catalogue->dropped[i]));
        json_object_set_new(json, "permissions", json_integer((json_int_t)catalogue->file->count));
        json_object_set_new(json, "dropped_permissions", dropped);
    }
    json_print(json, stdout);
}

static void print(struct cli *cli, const struct db_migrate_report *report,
                  const struct catalogue *catalogue) {
    if (report->applied == 0)
        fprintf(cli->out, "the schema is at %04u already\n", report->number);
    else
        fprintf(cli->out, "the schema is at %04u now\n", report->number);
    if (!catalogue->file)
        return;
    fprintf(cli->out, "the catalogue has %zu permissions of this deployment\n", catalogue->file->count);
    for (size_t i = 0; i < catalogue->dropped_count; i++)
        fprintf(cli->out, "dropped %s: tokens and roles that were granted it lose it\n",
                catalogue->dropped[i]);
}

enum exit_code migrate_command_run(struct cli *cli) {
    struct permissions_file file;
    struct catalogue catalogue = {.arena = &cli->arena};
    const char *path = options_find_text(&cli->options, "permissions-file");
    enum exit_code code = path ? permissions_file_read(cli, path, &file) : EXIT_CODE_DONE;
    struct db_connection *connection = NULL;
    if (code == EXIT_CODE_DONE)
        code = sql_open(cli, &connection);
    if (code != EXIT_CODE_DONE)
        return code;
    struct db_migrate_report report;
    code = migrate(cli, connection, &report);
    if (code == EXIT_CODE_DONE && path) {
        catalogue.file = &file;
        catalogue.may_drop = options_has(&cli->options, "drop-permissions");
        code = sql_run(cli, connection, replace, &catalogue);
    }
    db_connection_close(connection);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        print_json(&report, &catalogue);
    else
        print(cli, &report, &catalogue);
    return EXIT_CODE_DONE;
}
