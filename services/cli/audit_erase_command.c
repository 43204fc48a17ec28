// `latchkey audit erase`: for who runs the database, because nothing of it can be had back.
#include <inttypes.h>

#include "common/app/audit.h"
#include "common/base/typeid.h"
#include "services/cli/audit_command.h"
#include "services/cli/confirm.h"
#include "services/cli/json_print.h"
#include "services/cli/sql.h"

enum { BATCH_ROWS = 10000 };

enum { FIND_MEMBER, ERASE };

static const struct db_statement statements[] = {
    [FIND_MEMBER] = {"audit_erase_find_member",
                     "SELECT company_id FROM latchkey.member WHERE member_id = $1"},
    [ERASE] = {"audit_erase", "SELECT latchkey.audit_erase($1, $2, $3)"},
};

struct erasure {
    struct arena *arena;
    struct uuid member_id;
    struct typeid member_text;
    int64_t erased;     // by all batches
    int64_t last_batch; // rows
};

static enum status note(struct db_transaction *transaction, struct fault *fault,
                        const struct erasure *erasure, struct uuid company_id) {
    struct app_call call = {.arena = erasure->arena,
                            .fault = fault,
                            .transaction = transaction,
                            .company_id = company_id,
                            .system = "erase"};
    enum status status =
        audit_note_many(&call, "audit.erased", erasure->member_text.text, "", erasure->last_batch);
    return status == STATUS_OK ? audit_flush(&call) : status;
}

static enum status erase_batch(struct db_transaction *transaction, struct fault *fault, void *context) {
    struct erasure *erasure = context;
    struct db_params find, erase;
    db_params_init(&find, erasure->arena);
    db_params_add_uuid(&find, erasure->member_id);
    db_params_init(&erase, erasure->arena);
    db_params_add_uuid(&erase, erasure->member_id);
    db_params_add_text(&erase, bytes_of_text(erasure->member_text.text));
    db_params_add_int32(&erase, BATCH_ROWS);
    struct db_command commands[] = {{&statements[FIND_MEMBER], &find, NULL},
                                    {&statements[ERASE], &erase, NULL}};
    enum status status = db_query_batch(transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return status;
    if (db_result_get_row_count(commands[0].result) == 0)
        return fault_set(fault, STATUS_NOT_FOUND, "MEMBER_NOT_FOUND", "there is no member %s",
                         erasure->member_text.text);
    erasure->last_batch = db_result_get_int64(commands[1].result, 0, 0);
    erasure->erased += erasure->last_batch;
    return erasure->last_batch > 0
               ? note(transaction, fault, erasure, db_result_get_uuid(commands[0].result, 0, 0))
               : STATUS_OK;
}

static enum exit_code erase(struct cli *cli, struct erasure *erasure) {
    struct db_connection *connection;
    enum exit_code code = sql_open(cli, &connection);
    if (code != EXIT_CODE_DONE)
        return code;
    do
        code = sql_run(cli, connection, erase_batch, erasure);
    while (code == EXIT_CODE_DONE && erasure->last_batch == BATCH_ROWS);
    db_connection_close(connection);
    return code;
}

static void print(struct cli *cli, const struct erasure *erasure) {
    if (cli->is_json)
        json_print(json_pack("{s:I}", "erased", (json_int_t)erasure->erased), cli->out);
    else if (erasure->erased == 0)
        fprintf(cli->out, "no event says anything about %s\n", erasure->member_text.text);
    else
        fprintf(cli->out, "erased what %" PRId64 " event%s said about %s; the chain holds as before\n",
                erasure->erased, erasure->erased == 1 ? "" : "s", erasure->member_text.text);
}

enum exit_code audit_command_erase(struct cli *cli) {
    const char *text = cli->options.arguments[0];
    struct erasure erasure = {.arena = &cli->arena};
    if (!typeid_parse(bytes_of_text(text), TYPEID_MEMBER, &erasure.member_id))
        return cli_fail(cli, EXIT_CODE_USAGE, "%s is no member's id, such as mbr_01h455vb4pex5vsknk084sn02q",
                        text);
    erasure.member_text = typeid_of(TYPEID_MEMBER, erasure.member_id);
    enum exit_code code = confirm_ask(
        cli, cli_format(cli, "Erase e-mail address, addresses and agents of %s from the audit log for good?",
                        text));
    if (code == EXIT_CODE_DONE)
        code = erase(cli, &erasure);
    if (code == EXIT_CODE_DONE)
        print(cli, &erasure);
    return code;
}
