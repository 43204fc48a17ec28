#include "common/db/transaction.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/db/exchange.h"
#include "common/db/shared_snapshot.h"

// The server cancels a statement at the deadline; we give up on its answer this much later, so that normally
// its answer wins and the connection lives on.
#define ANSWER_GRACE_NS UINT64_C(250000000)

// A statement_timeout that ends this much too late is not worth sending again: the grace covers it.
#define TIMEOUT_SLACK_MS 100

// A rollback is tried for this long, whatever is left of the deadline.
#define ROLLBACK_WAIT_NS UINT64_C(2000000000)

enum { SETTINGS_MAX = 3 }; // company, role, statement_timeout

static const struct db_statement begin_statements[2][3] = {
    [DB_READ_WRITE] = {[DB_READ_COMMITTED] = {"begin", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"},
                       [DB_REPEATABLE_READ] = {"begin_repeatable",
                                               "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"},
                       [DB_SERIALIZABLE] = {"begin_serializable",
                                            "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"}},
    [DB_READ_ONLY] = {[DB_READ_COMMITTED] = {"begin_read", "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"},
                      [DB_REPEATABLE_READ] = {"begin_read_repeatable",
                                              "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
                      [DB_SERIALIZABLE] = {"begin_read_serializable",
                                           "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"}},
};
static const struct db_statement settings_statement = {
    "settings",
    "SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS setting (name, value)"};
static const struct db_statement flush_statement = {"change_flush",
                                                    "SELECT lane, seq, mark FROM latchkey.change_flush()"};
static const struct db_statement commit_statement = {"commit", "COMMIT"};
static const struct db_statement rollback_statement = {"rollback", "ROLLBACK"};

// What goes out in one round trip: the transaction's own steps first, then the caller's.
struct batch {
    struct exchange_step steps[EXCHANGE_STEPS_MAX];
    size_t own_count, count;
    struct db_params settings;
    struct bytes names[SETTINGS_MAX], values[SETTINGS_MAX];
    size_t settings_count;
    char company[UUID_TEXT_LENGTH + 1], timeout[24];
    char join_sql[sizeof("SET TRANSACTION SNAPSHOT ''") + DB_SNAPSHOT_NAME_MAX];
    struct db_statement join;
    int64_t timeout_ms; // in force once the batch has run
};

// --- results

void db_drop_results(struct db_transaction *transaction) {
    while (transaction->results) {
        struct db_result *result = transaction->results;
        transaction->results = result->next;
        PQclear(result->pg);
        free(result);
    }
}

// Takes `pg`. NULL = out of memory.
static const struct db_result *keep_result(struct db_transaction *transaction, PGresult *pg) {
    // why: not the arena's, because those of db_execute() outlive the call
    struct db_result *result = malloc(sizeof(*result));
    if (!result) {
        PQclear(pg);
        return NULL;
    }
    result->pg = pg;
    result->next = transaction->results;
    transaction->results = result;
    return result;
}

// --- deadline

static uint64_t get_now_ns(const struct db_transaction *transaction) {
    return clock_get_monotonic_ns(transaction->connection->clock);
}

static int64_t get_remaining_ms(const struct db_transaction *transaction) {
    uint64_t now_ns = get_now_ns(transaction), deadline_ns = transaction->options.deadline_ns;
    if (deadline_ns <= now_ns)
        return 0;
    uint64_t ms = (deadline_ns - now_ns) / 1000000;
    return ms > INT32_MAX ? INT32_MAX : (int64_t)ms;
}

static bool has_deadline(const struct db_transaction *transaction) {
    return transaction->options.deadline_ns != DB_NO_DEADLINE;
}

uint64_t transaction_get_answer_deadline_ns(const struct db_transaction *transaction) {
    return has_deadline(transaction) ? transaction->options.deadline_ns + ANSWER_GRACE_NS : DB_NO_DEADLINE;
}

// 57014 has three senders: our cancel, our statement_timeout, and an administrator.
static enum status name_cancel(const struct db_transaction *transaction, enum status status) {
    if (status != STATUS_CANCELLED)
        return status;
    if (transaction->options.cancellation && db_is_cancelled(transaction->options.cancellation))
        return STATUS_CANCELLED;
    if (has_deadline(transaction) && get_remaining_ms(transaction) <= TIMEOUT_SLACK_MS)
        return STATUS_DEADLINE_EXCEEDED;
    return STATUS_ABORTED;
}

// --- building a batch

static void add_step(struct batch *batch, const struct db_statement *statement,
                     const struct db_params *params) {
    assert(batch->count < EXCHANGE_STEPS_MAX);
    batch->steps[batch->count++] = (struct exchange_step){.statement = statement, .params = params};
}

static void add_setting(struct batch *batch, const char *name, const char *value) {
    batch->names[batch->settings_count] = bytes_of_text(name);
    batch->values[batch->settings_count++] = bytes_of_text(value);
}

static void add_company(struct batch *batch, const struct db_transaction *transaction) {
    if (!transaction->has_unsent_company)
        return;
    uuid_format(transaction->options.company, batch->company);
    add_setting(batch, "latchkey.company", batch->company);
}

// why in each transaction: a pooler gives the session to others, whose role it must not be.
static void add_role(struct batch *batch, const struct db_transaction *transaction) {
    const char *role = transaction->options.role ? transaction->options.role : transaction->connection->role;
    if (role)
        add_setting(batch, "role", role);
}

static void add_timeout(struct batch *batch, const struct db_transaction *transaction) {
    batch->timeout_ms = transaction->timeout_ms;
    int64_t remaining_ms = get_remaining_ms(transaction);
    if (!has_deadline(transaction))
        return;
    if (transaction->timeout_ms != 0 && transaction->timeout_ms <= remaining_ms + TIMEOUT_SLACK_MS)
        return;
    batch->timeout_ms = remaining_ms;
    snprintf(batch->timeout, sizeof(batch->timeout), "%lld", (long long)remaining_ms);
    add_setting(batch, "statement_timeout", batch->timeout);
}

// Before the settings: those are a query, and with the first one a transaction has taken its snapshot.
static void add_begin(struct batch *batch, const struct db_begin_options *options) {
    add_step(batch, &begin_statements[options->access][options->isolation], NULL);
    if (!options->snapshot)
        return;
    snprintf(batch->join_sql, sizeof(batch->join_sql), "SET TRANSACTION SNAPSHOT '%s'",
             options->snapshot->name);
    batch->join = (struct db_statement){"snapshot_join", batch->join_sql};
    batch->steps[batch->count++] = (struct exchange_step){.statement = &batch->join, .is_for_once = true};
}

static void begin_batch(struct batch *batch, const struct db_transaction *transaction, bool is_first) {
    batch->count = batch->settings_count = 0;
    if (transaction->state == TRANSACTION_PENDING)
        add_begin(batch, &transaction->options);
    add_company(batch, transaction);
    if (is_first)
        add_role(batch, transaction);
    add_timeout(batch, transaction);
    if (batch->settings_count > 0) {
        db_params_init(&batch->settings, transaction->options.arena);
        db_params_add_text_array(&batch->settings, batch->names, batch->settings_count);
        db_params_add_text_array(&batch->settings, batch->values, batch->settings_count);
        add_step(batch, &settings_statement, &batch->settings);
    }
    batch->own_count = batch->count;
}

// --- running a batch

// Nothing is sent for a call that nobody waits for.
static enum status check_call(const struct db_transaction *transaction) {
    if (transaction->connection->is_broken)
        return STATUS_UNAVAILABLE;
    if (transaction->options.cancellation && db_is_cancelled(transaction->options.cancellation))
        return STATUS_CANCELLED;
    if (has_deadline(transaction) && get_remaining_ms(transaction) == 0)
        return STATUS_DEADLINE_EXCEEDED;
    return STATUS_OK;
}

static void fail(struct db_transaction *transaction, enum status status, const struct db_error *error) {
    transaction->error = error ? *error : (struct db_error){0};
    transaction->error.status = status;
}

enum status transaction_note_error(struct db_transaction *transaction, const char *sqlstate) {
    struct db_error error = {0};
    snprintf(error.sqlstate, sizeof(error.sqlstate), "%s", sqlstate ? sqlstate : "");
    fail(transaction, name_cancel(transaction, sqlstate_get_status(sqlstate)), &error);
    if (sqlstate_is_fatal(sqlstate))
        session_break(transaction->connection, "the server can't go on");
    transaction->state = TRANSACTION_FAILED;
    return transaction->error.status;
}

static enum status run_batch(struct db_transaction *transaction, struct batch *batch,
                             struct exchange_failure *ret_failure) {
    struct exchange_failure failure;
    enum status status = exchange_run(transaction->connection, batch->steps, batch->count,
                                      transaction_get_answer_deadline_ns(transaction), &failure);
    if (status != STATUS_OK) {
        status = name_cancel(transaction, status);
        fail(transaction, status, &failure.error);
        *ret_failure = failure;
        return status;
    }
    transaction->has_unsent_company = false;
    transaction->timeout_ms = batch->timeout_ms;
    for (size_t i = 0; i < batch->own_count; i++) {
        PQclear(batch->steps[i].result);
        batch->steps[i].result = NULL;
    }
    return STATUS_OK;
}

// Hands the results of the caller's steps over to the transaction.
static enum status keep_results(struct db_transaction *transaction, struct batch *batch,
                                struct db_command *commands) {
    enum status status = STATUS_OK;
    for (size_t i = batch->own_count; i < batch->count; i++) {
        const struct db_result *result = keep_result(transaction, batch->steps[i].result);
        commands[i - batch->own_count].result = result;
        if (!result)
            status = STATUS_NO_MEMORY;
    }
    return status;
}

// --- life

static bool unbind(struct db_transaction *transaction) {
    struct db_cancellation *cancellation = transaction->options.cancellation;
    if (!cancellation || !transaction->is_bound)
        return true;
    transaction->is_bound = false;
    bool is_quiet = cancel_target_unbind(transaction->connection->cancel_target, cancellation);
    if (!is_quiet)
        session_break(transaction->connection, "a cancel is still on its way");
    return is_quiet;
}

static enum status start(struct db_connection *connection, const struct db_begin_options *options,
                         enum transaction_state state) {
    struct db_transaction *transaction = &connection->transaction;
    assert(transaction->state == TRANSACTION_IDLE && options->arena);
    db_drop_results(transaction);
    *transaction = (struct db_transaction){
        .connection = connection, .options = *options, .has_unsent_company = !uuid_is_zero(options->company)};
    enum status status = check_call(transaction);
    if (status != STATUS_OK)
        return status;
    if (options->cancellation && !cancel_target_bind(connection->cancel_target, options->cancellation))
        return STATUS_CANCELLED;
    transaction->is_bound = options->cancellation != NULL;
    transaction->state = state;
    return STATUS_OK;
}

enum status db_begin(struct db_connection *connection, const struct db_begin_options *options,
                     struct db_transaction **ret_transaction) {
    enum status status = start(connection, options, TRANSACTION_PENDING);
    if (status == STATUS_OK)
        *ret_transaction = &connection->transaction;
    return status;
}

void db_set_company(struct db_transaction *transaction, struct uuid company) {
    transaction->options.company = company;
    transaction->has_unsent_company = true;
}

enum status transaction_open(struct db_transaction *transaction) {
    return db_query_batch(transaction, NULL, 0);
}

enum status db_query_batch(struct db_transaction *transaction, struct db_command *commands, size_t count) {
    assert(transaction->state != TRANSACTION_IDLE && !transaction->is_copying);
    if (transaction->state == TRANSACTION_FAILED)
        return STATUS_ABORTED;
    enum status status = check_call(transaction);
    if (status != STATUS_OK) {
        transaction->state = TRANSACTION_FAILED;
        fail(transaction, status, NULL);
        return status;
    }
    struct batch batch;
    begin_batch(&batch, transaction, transaction->state == TRANSACTION_PENDING);
    for (size_t i = 0; i < count; i++)
        add_step(&batch, commands[i].statement, commands[i].params);

    struct exchange_failure failure;
    transaction->state = TRANSACTION_OPEN;
    status = run_batch(transaction, &batch, &failure);
    if (status == STATUS_OK)
        status = keep_results(transaction, &batch, commands);
    if (status != STATUS_OK)
        transaction->state = TRANSACTION_FAILED;
    return status;
}

enum status db_query(struct db_transaction *transaction, const struct db_statement *statement,
                     const struct db_params *params, const struct db_result **ret_result) {
    struct db_command command = {.statement = statement, .params = params};
    enum status status = db_query_batch(transaction, &command, 1);
    if (status == STATUS_OK && ret_result)
        *ret_result = command.result;
    return status;
}

void db_add_last(struct db_transaction *transaction, const struct db_statement *statement,
                 const struct db_params *params) {
    assert(transaction->last_count < DB_LAST_STATEMENTS_MAX);
    transaction->last[transaction->last_count++] = (struct db_command){statement, params, NULL};
}

const struct db_error *db_get_error(const struct db_transaction *transaction) {
    return &transaction->error;
}

static void send_rollback(struct db_connection *connection) {
    if (connection->is_broken || PQtransactionStatus(connection->pg) == PQTRANS_IDLE)
        return;
    struct exchange_step step = {.statement = &rollback_statement};
    struct exchange_failure failure;
    uint64_t deadline_ns = clock_get_monotonic_ns(connection->clock) + ROLLBACK_WAIT_NS;
    if (exchange_run(connection, &step, 1, deadline_ns, &failure) != STATUS_OK)
        session_break(connection, "could not roll back");
    else
        PQclear(step.result);
}

void db_rollback(struct db_transaction *transaction) {
    if (!transaction)
        return;
    unbind(transaction);
    if (transaction->state != TRANSACTION_IDLE)
        send_rollback(transaction->connection);
    db_drop_results(transaction);
    transaction->state = TRANSACTION_IDLE;
}

// --- commit

// Nobody has said that it failed, so it may have happened, or may yet: the server goes on without us.
static enum status doubt(struct db_transaction *transaction, enum status status) {
    if (transaction->options.access == DB_READ_ONLY)
        return status;
    session_break(transaction->connection, "outcome of COMMIT unknown");
    return STATUS_OUTCOME_UNKNOWN;
}

static enum status judge_commit(struct db_transaction *transaction, const PGresult *result) {
    // COMMIT of a transaction that had failed answers ROLLBACK.
    if (strcmp(PQcmdStatus((PGresult *)(uintptr_t)result), "COMMIT") != 0)
        return STATUS_ABORTED;
    return transaction->connection->has_warned ? doubt(transaction, STATUS_OK) : STATUS_OK;
}

static enum status read_revisions(struct db_transaction *transaction, PGresult *pg,
                                  const struct db_revision **ret_revisions, size_t *ret_count) {
    enum { LANE, SEQ, MARK };
    const struct db_result rows = {.pg = pg};
    size_t count = (size_t)PQntuples(pg);
    struct db_revision *revisions = ARENA_NEW_ARRAY(transaction->options.arena, struct db_revision, count);
    if (!revisions)
        return STATUS_OUTCOME_UNKNOWN; // why: it is committed; only the caller can't be told where
    for (size_t i = 0; i < count; i++)
        revisions[i] = (struct db_revision){.lane = db_result_get_int16(&rows, (int)i, LANE),
                                            .seq = db_result_get_int64(&rows, (int)i, SEQ),
                                            .mark = db_result_get_int64(&rows, (int)i, MARK)};
    *ret_revisions = revisions;
    *ret_count = count;
    return STATUS_OK;
}

// statement_timeout does not reach the COMMIT: PostgreSQL ends it before it begins to commit
// (finish_xact_command() in its postgres.c). It does bound change_flush(), which waits for the lane.
static enum status send_commit(struct db_transaction *transaction, struct batch *batch, bool has_flush) {
    begin_batch(batch, transaction, transaction->state == TRANSACTION_PENDING);
    for (size_t i = 0; i < transaction->last_count; i++)
        add_step(batch, transaction->last[i].statement, transaction->last[i].params);
    if (has_flush)
        add_step(batch, &flush_statement, NULL);
    add_step(batch, &commit_statement, NULL);
    struct exchange_failure failure;
    transaction->state = TRANSACTION_COMMITTING;
    enum status status = run_batch(transaction, batch, &failure);
    if (status != STATUS_OK && failure.verdict == EXCHANGE_SILENT)
        return doubt(transaction, status);
    return status;
}

// After this no cancel can reach the connection.
static enum status prepare_commit(struct db_transaction *transaction) {
    if (transaction->state == TRANSACTION_FAILED)
        return STATUS_ABORTED;
    if (!unbind(transaction))
        return STATUS_CANCELLED;
    enum status status = check_call(transaction);
    struct db_cancellation *cancellation = transaction->options.cancellation;
    if (status != STATUS_OK || !cancellation || transaction->options.access == DB_READ_ONLY)
        return status;
    return cancel_target_begin_commit(cancellation) ? STATUS_OK : STATUS_CANCELLED;
}

static enum status commit(struct db_transaction *transaction, bool has_flush,
                          const struct db_revision **ret_revisions, size_t *ret_count) {
    assert(transaction->state != TRANSACTION_IDLE && !transaction->is_copying);
    if (transaction->state == TRANSACTION_PENDING && transaction->last_count == 0)
        return STATUS_OK;
    enum status status = prepare_commit(transaction);
    struct batch batch;
    if (status == STATUS_OK)
        status = send_commit(transaction, &batch, has_flush);
    if (status != STATUS_OK)
        return status;
    status = judge_commit(transaction, batch.steps[batch.count - 1].result);
    if (status == STATUS_OK && has_flush)
        status = read_revisions(transaction, batch.steps[batch.count - 2].result, ret_revisions, ret_count);
    for (size_t i = batch.own_count; i < batch.count; i++)
        PQclear(batch.steps[i].result);
    return status;
}

enum status db_commit(struct db_transaction *transaction) {
    enum status status = commit(transaction, false, NULL, NULL);
    db_rollback(transaction);
    return status;
}

enum status db_commit_with_revisions(struct db_transaction *transaction,
                                     const struct db_revision **ret_revisions, size_t *ret_count) {
    const struct db_revision *revisions = NULL;
    size_t count = 0;
    enum status status = commit(transaction, true, &revisions, &count);
    db_rollback(transaction);
    if (status == STATUS_OK) {
        *ret_revisions = revisions;
        *ret_count = count;
    }
    return status;
}

// --- without a transaction

enum status db_execute(struct db_connection *connection, const struct db_begin_options *options,
                       struct db_command *commands, size_t count) {
    enum status status = start(connection, options, TRANSACTION_OPEN);
    if (status != STATUS_OK)
        return status;
    struct db_transaction *transaction = &connection->transaction;
    struct batch batch;
    struct exchange_failure failure;
    begin_batch(&batch, transaction, true);
    for (size_t i = 0; i < count; i++)
        add_step(&batch, commands[i].statement, commands[i].params);
    status = run_batch(transaction, &batch, &failure);
    if (status == STATUS_OK)
        status = keep_results(transaction, &batch, commands);
    else if (failure.verdict == EXCHANGE_SILENT)
        status = doubt(transaction, status);
    if (status == STATUS_OK && connection->has_warned)
        status = doubt(transaction, status);
    unbind(transaction);
    transaction->state = TRANSACTION_IDLE;
    return status;
}

// --- faults

static const struct {
    enum status status;
    const char *reason;
    uint32_t retry_after_ms;
    const char *sentence;
} faults[] = {
    {STATUS_UNAVAILABLE, "DATABASE_UNAVAILABLE", 1000, "the database is not available now; try again"},
    {STATUS_ABORTED, "CONFLICT", 50, "somebody else changed the same at the same time; try again"},
    {STATUS_OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN", 1000,
     "the change may or may not have been made; ask again with the same request_id"},
    {STATUS_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", 0, "the deadline passed while the database was working"},
    {STATUS_CANCELLED, "CANCELLED", 0, "the call was cancelled"},
    {STATUS_NO_MEMORY, "NO_MEMORY", 1000, "the server is out of memory; try again"},
    {STATUS_INTERNAL, "INTERNAL", 0, "internal error; the server's log says more"},
};

enum status db_fault(struct fault *fault, enum status status) {
    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
        if (faults[i].status != status)
            continue;
        fault_set(fault, status, faults[i].reason, "%s", faults[i].sentence);
        if (faults[i].retry_after_ms)
            fault_set_retry_after_ms(fault, faults[i].retry_after_ms);
    }
    return status;
}
