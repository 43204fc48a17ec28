#include "common/db/exchange.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"

enum { BINARY = 1 };

static const int binary_formats[DB_PARAMS_MAX] = {
    BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY,
    BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY,
    BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY,
    BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY, BINARY,
};
static_assert(DB_PARAMS_MAX == 48, "as many as binary_formats names");

static const struct db_params no_params = {.count = 0};

static const struct db_params *get_params(const struct exchange_step *step) {
    return step->params ? step->params : &no_params;
}

static bool is_prepared(const struct prepared_set *set, const struct db_statement *statement) {
    for (size_t i = 0; i < set->count; i++)
        if (set->statements[i] == statement)
            return true;
    return false;
}

// Makes room before the server is asked to prepare, so that what it has prepared is always remembered.
static bool has_room(struct prepared_set *set, size_t count) {
    if (set->capacity - set->count >= count)
        return true;
    size_t capacity = set->capacity * 2 + count;
    const struct db_statement **statements =
        realloc(set->statements, capacity * sizeof(const struct db_statement *));
    if (!statements)
        return false;
    set->statements = statements;
    set->capacity = capacity;
    return true;
}

// A statement that comes twice in one exchange is prepared by its first step.
static bool is_prepared_before(const struct db_connection *connection, const struct exchange_step *steps,
                               size_t i) {
    for (size_t k = 0; k < i; k++)
        if (steps[k].statement == steps[i].statement)
            return true;
    return is_prepared(&connection->prepared, steps[i].statement);
}

static bool goes_by_name(const struct db_connection *connection, const struct exchange_step *step) {
    return connection->prepare == DB_PREPARE_ONCE && !step->is_for_once;
}

static bool is_to_prepare(const struct db_connection *connection, const struct exchange_step *steps,
                          size_t i) {
    return goes_by_name(connection, &steps[i]) && !is_prepared_before(connection, steps, i);
}

static bool send_step(struct db_connection *connection, const struct exchange_step *steps, size_t i) {
    const struct db_statement *statement = steps[i].statement;
    const struct db_params *params = get_params(&steps[i]);
    static_assert(sizeof(Oid) == sizeof(params->types[0]), "passed as an array");
    if (!goes_by_name(connection, &steps[i]))
        return PQsendQueryParams(connection->pg, statement->sql, params->count, params->types, params->values,
                                 params->lengths, binary_formats, BINARY) == 1;
    if (is_to_prepare(connection, steps, i) &&
        PQsendPrepare(connection->pg, statement->name, statement->sql, params->count, params->types) != 1)
        return false;
    return PQsendQueryPrepared(connection->pg, statement->name, params->count, params->values,
                               params->lengths, binary_formats, BINARY) == 1;
}

static bool send_steps(struct db_connection *connection, const struct exchange_step *steps, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!send_step(connection, steps, i))
            return false;
    return PQpipelineSync(connection->pg) == 1;
}

static void copy_text(char *to, size_t size, const char *from) {
    snprintf(to, size, "%s", from ? from : "");
}

static bool is_last_word(const PGresult *result) {
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return !severity || strcmp(severity, "ERROR") != 0;
}

// The first error is the one that counts; those behind it in the pipeline only say that they were skipped.
static void note_error(struct db_connection *connection, const struct db_statement *statement,
                       const PGresult *result, struct exchange_failure *failure) {
    struct db_error *error = &failure->error;
    if (error->status != STATUS_OK)
        return;
    copy_text(error->sqlstate, sizeof(error->sqlstate), PQresultErrorField(result, PG_DIAG_SQLSTATE));
    copy_text(error->constraint, sizeof(error->constraint),
              PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
    error->status = sqlstate_get_status(error->sqlstate);
    failure->verdict = is_last_word(result) ? EXCHANGE_SILENT : EXCHANGE_REFUSED;

    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    log_event(error->status == STATUS_INTERNAL ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG, "statement failed",
              LOG_TEXT("statement", statement->name), LOG_TEXT("sqlstate", error->sqlstate),
              LOG_TEXT("message", message ? message : PQresultErrorMessage(result)),
              LOG_TEXT("sql", error->status == STATUS_INTERNAL ? statement->sql : ""));
    if (is_last_word(result) || sqlstate_is_fatal(error->sqlstate))
        session_break(connection, message ? message : "connection lost");
}

static bool is_success(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

// Reads the results of one command up to its NULL. A command has exactly one.
static enum status receive(struct db_connection *connection, uint64_t deadline_ns, PGresult **ret_result) {
    PGresult *result = NULL, *end = NULL;
    enum status status = session_get_result(connection, deadline_ns, &result);
    if (status != STATUS_OK)
        return status;
    status = session_get_result(connection, deadline_ns, &end);
    if (status == STATUS_OK && result && !end) {
        *ret_result = result;
        return STATUS_OK;
    }
    PQclear(result);
    PQclear(end);
    session_break(connection, "unexpected results");
    return status == STATUS_OK ? STATUS_UNAVAILABLE : status;
}

// Whether the exchange can be followed further: after the server's farewell nothing comes any more.
static bool is_followed(const struct db_connection *connection) {
    return PQstatus(connection->pg) == CONNECTION_OK;
}

static enum status receive_prepared(struct db_connection *connection, const struct db_statement *statement,
                                    uint64_t deadline_ns, struct exchange_failure *failure) {
    PGresult *result;
    enum status status = receive(connection, deadline_ns, &result);
    if (status != STATUS_OK)
        return status;
    if (is_success(result))
        connection->prepared.statements[connection->prepared.count++] = statement;
    else if (PQresultStatus(result) != PGRES_PIPELINE_ABORTED)
        note_error(connection, statement, result, failure);
    PQclear(result);
    return is_followed(connection) ? STATUS_OK : STATUS_UNAVAILABLE;
}

static enum status receive_step(struct db_connection *connection, struct exchange_step *step,
                                uint64_t deadline_ns, struct exchange_failure *failure) {
    PGresult *result;
    enum status status = receive(connection, deadline_ns, &result);
    if (status != STATUS_OK)
        return status;
    if (is_success(result)) {
        step->result = result;
        return STATUS_OK;
    }
    if (PQresultStatus(result) != PGRES_PIPELINE_ABORTED)
        note_error(connection, step->statement, result, failure);
    PQclear(result);
    return is_followed(connection) ? STATUS_OK : STATUS_UNAVAILABLE;
}

// An implicit transaction is committed by the sync, and its deferred triggers may fail there: an error, then
// the sync.
static enum status receive_sync(struct db_connection *connection, uint64_t deadline_ns,
                                struct exchange_failure *failure) {
    static const struct db_statement sync = {"sync", ""};
    for (int tries = 0; tries < 3; tries++) {
        PGresult *result = NULL;
        enum status status = session_get_result(connection, deadline_ns, &result);
        if (status != STATUS_OK)
            return status;
        bool is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        if (result && !is_sync)
            note_error(connection, &sync, result, failure);
        PQclear(result);
        if (is_sync)
            return STATUS_OK;
        if (!is_followed(connection))
            return STATUS_UNAVAILABLE;
    }
    session_break(connection, "the pipeline is out of step");
    return STATUS_UNAVAILABLE;
}

// Which statements were prepared in this exchange was decided while sending: `is_new` remembers it.
static enum status receive_all(struct db_connection *connection, struct exchange_step *steps,
                               const bool *is_new, size_t count, uint64_t deadline_ns,
                               struct exchange_failure *failure) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (is_new[i])
            status = receive_prepared(connection, steps[i].statement, deadline_ns, failure);
        if (status == STATUS_OK)
            status = receive_step(connection, &steps[i], deadline_ns, failure);
    }
    return status == STATUS_OK ? receive_sync(connection, deadline_ns, failure) : status;
}

static void drop_results(struct exchange_step *steps, size_t count) {
    for (size_t i = 0; i < count; i++) {
        PQclear(steps[i].result);
        steps[i].result = NULL;
    }
}

static enum status get_params_status(const struct exchange_step *steps, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (get_params(&steps[i])->status != STATUS_OK)
            return get_params(&steps[i])->status;
    return STATUS_OK;
}

static enum status exchange(struct db_connection *connection, struct exchange_step *steps, size_t count,
                            uint64_t deadline_ns, struct exchange_failure *failure) {
    bool is_new[EXCHANGE_STEPS_MAX];
    for (size_t i = 0; i < count; i++)
        is_new[i] = is_to_prepare(connection, steps, i);
    if (!send_steps(connection, steps, count)) {
        session_break(connection, "nothing can be sent");
        return STATUS_UNAVAILABLE;
    }
    return receive_all(connection, steps, is_new, count, deadline_ns, failure);
}

enum status exchange_run(struct db_connection *connection, struct exchange_step *steps, size_t count,
                         uint64_t deadline_ns, struct exchange_failure *ret_failure) {
    assert(count <= EXCHANGE_STEPS_MAX);
    struct exchange_failure failure = {.verdict = EXCHANGE_SILENT};
    enum status status = get_params_status(steps, count);
    if (status == STATUS_OK && !has_room(&connection->prepared, count))
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        // Nothing was sent.
        *ret_failure = (struct exchange_failure){EXCHANGE_REFUSED, {.status = status}};
        return status;
    }
    connection->has_warned = false;
    status = connection->is_broken ? STATUS_UNAVAILABLE
                                   : exchange(connection, steps, count, deadline_ns, &failure);
    // What the server said beats that it then hung up.
    if (failure.error.status != STATUS_OK)
        status = failure.error.status;
    if (status == STATUS_OK)
        return STATUS_OK;
    failure.error.status = status;
    drop_results(steps, count);
    *ret_failure = failure;
    return status;
}
