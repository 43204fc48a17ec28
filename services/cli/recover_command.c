#include "services/cli/recover_command.h"

#include "services/cli/confirm.h"
#include "services/cli/recover_store.h"
#include "services/cli/recover_text.h"
#include "services/cli/sql.h"

struct run {
    struct arena *arena;
    struct loss loss;
    struct uuid company_id; // whose turn it is
    struct loss_settlement settlement;
};

static enum status read_loss(struct db_transaction *transaction, struct fault *fault, void *context) {
    struct run *run = context;
    (void)fault;
    return recover_store_read(transaction, run->arena, &run->loss);
}

static enum status find_company(struct db_transaction *transaction, struct fault *fault, void *context) {
    struct run *run = context;
    (void)fault;
    return recover_store_find_company(transaction, run->arena, &run->loss, &run->company_id);
}

static enum status redo_company(struct db_transaction *transaction, struct fault *fault, void *context) {
    struct run *run = context;
    return recover_store_redo(transaction, fault, run->arena, &run->loss, run->company_id,
                              &run->settlement.redone_count);
}

static enum status settle(struct db_transaction *transaction, struct fault *fault, void *context) {
    struct run *run = context;
    return recover_store_settle(transaction, fault, run->arena, &run->settlement);
}

// A transaction for each company: nobody is admitted before all is settled, so one that is interrupted is
// gone on with by the next run, and no lane is held for all.
static enum exit_code redo(struct cli *cli, struct db_connection *connection, struct run *run) {
    for (;;) {
        enum exit_code code = sql_run(cli, connection, find_company, run);
        if (code != EXIT_CODE_DONE || uuid_is_zero(run->company_id))
            return code;
        code = sql_run(cli, connection, redo_company, run);
        if (code != EXIT_CODE_DONE)
            return code;
    }
}

// A comparison that is still to come may find more to be done again.
static enum exit_code check_compared(struct cli *cli, const struct loss *loss) {
    for (size_t i = 0; i < loss->report_count; i++)
        if (!loss->reports[i].is_compared && !*loss->reports[i].failure)
            return cli_fail(cli, EXIT_CODE_REFUSED,
                            "%s is still comparing its memory with the database; run it again in a moment",
                            loss->reports[i].validator);
    return EXIT_CODE_DONE;
}

// Which of them have not compared yet: what only they know is lost with the rest, and nobody has seen it.
static const char *list_not_compared(struct cli *cli, const struct loss *loss) {
    const char *names = "";
    for (size_t i = 0; i < loss->report_count; i++)
        if (!loss->reports[i].is_compared)
            names = cli_format(cli, "%s%s%s", names, *names ? ", " : "", loss->reports[i].validator);
    return names;
}

static enum exit_code ask(struct cli *cli, const struct loss_settlement *settlement) {
    const char *names = list_not_compared(cli, settlement->loss);
    if (!settlement->accepts_loss)
        return confirm_ask(cli, "do again what the database lost?");
    if (!*names)
        return confirm_ask(cli, "accept what is not done again as lost, and let validators serve?");
    return confirm_ask(cli,
                       cli_format(cli,
                                  "accept what is not done again as lost, also what %s may know, of which "
                                  "not all was compared, and let validators serve?",
                                  names));
}

static enum exit_code change(struct cli *cli, struct db_connection *connection, struct run *run) {
    bool does_again = options_has(&cli->options, "redo");
    const char *note = options_find_text(&cli->options, "note");
    const struct loss known = run->loss; // what was read before anything was done
    run->settlement = (struct loss_settlement){
        .loss = &known, .accepts_loss = options_has(&cli->options, "accept-loss"), .note = note ? note : ""};
    enum exit_code code = does_again ? check_compared(cli, &known) : EXIT_CODE_DONE;
    if (code == EXIT_CODE_DONE)
        code = ask(cli, &run->settlement);
    if (code == EXIT_CODE_DONE && does_again)
        code = redo(cli, connection, run);
    if (code == EXIT_CODE_DONE)
        code = sql_run(cli, connection, settle, run);
    return code == EXIT_CODE_DONE ? sql_run(cli, connection, read_loss, run) : code;
}

static enum exit_code recover(struct cli *cli, struct db_connection *connection, struct run *run) {
    bool is_dry = !options_has(&cli->options, "redo") && !options_has(&cli->options, "accept-loss");
    enum exit_code code = sql_check_schema(cli, connection);
    if (code == EXIT_CODE_DONE)
        code = sql_run(cli, connection, read_loss, run);
    if (code == EXIT_CODE_DONE && !is_dry)
        code = change(cli, connection, run);
    return code;
}

enum exit_code recover_command_run(struct cli *cli) {
    struct run run = {.arena = &cli->arena};
    struct db_connection *connection;
    enum exit_code code = sql_open(cli, &connection);
    if (code != EXIT_CODE_DONE)
        return code;
    code = recover(cli, connection, &run);
    db_connection_close(connection);
    if (code != EXIT_CODE_DONE)
        return code;
    recover_text_print(cli, &run.loss, run.settlement.redone_count);
    return run.loss.report_count == 0 && run.loss.is_timeline_accepted ? EXIT_CODE_DONE : EXIT_CODE_NO;
}
