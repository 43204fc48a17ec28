#include "common/db/copy.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/db/copy_parser.h"
#include "common/db/session.h"

struct db_copy {
    struct db_transaction *transaction;
    const struct db_statement *statement;
    struct copy_parser parser;
    char *piece;    // libpq's, one row as a rule
    bool has_ended; // and the transaction goes on
};

static enum status fail(struct db_copy *copy, enum status status, const PGresult *result) {
    struct db_transaction *transaction = copy->transaction;
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (result)
        status = transaction_note_error(transaction, sqlstate);
    log_event(LOG_LEVEL_WARNING, "COPY failed", LOG_TEXT("statement", copy->statement->name),
              LOG_TEXT("sqlstate", sqlstate),
              LOG_TEXT("message", result ? PQresultErrorMessage(result) : ""));
    transaction->state = TRANSACTION_FAILED;
    return status;
}

// Reads on to the end of the command and takes the connection back to pipeline mode. `has_failed` is told of
// an error that comes behind the rows.
static enum status end_command(struct db_copy *copy) {
    struct db_connection *connection = copy->transaction->connection;
    uint64_t deadline_ns = transaction_get_answer_deadline_ns(copy->transaction);
    enum status outcome = STATUS_OK;
    for (;;) {
        PGresult *result = NULL;
        enum status status = session_get_result(connection, deadline_ns, &result);
        if (status != STATUS_OK)
            return status;
        if (!result)
            break;
        if (PQresultStatus(result) != PGRES_COMMAND_OK && outcome == STATUS_OK)
            outcome = fail(copy, STATUS_UNAVAILABLE, result);
        PQclear(result);
    }
    if (connection->is_broken)
        return outcome == STATUS_OK ? STATUS_UNAVAILABLE : outcome;
    enum status status = session_end_simple(connection);
    copy->has_ended = status == STATUS_OK;
    return outcome == STATUS_OK ? status : outcome;
}

static enum status start(struct db_copy *copy) {
    struct db_connection *connection = copy->transaction->connection;
    enum status status = session_begin_simple(connection, copy->statement->sql);
    PGresult *result = NULL;
    if (status == STATUS_OK)
        status =
            session_get_result(connection, transaction_get_answer_deadline_ns(copy->transaction), &result);
    if (status != STATUS_OK)
        return fail(copy, status, NULL);
    if (PQresultStatus(result) == PGRES_COPY_OUT) {
        PQclear(result);
        return STATUS_OK;
    }
    status = fail(copy, STATUS_INTERNAL, result);
    PQclear(result);
    enum status end = end_command(copy);
    return end == STATUS_OK ? status : end;
}

enum status db_copy_begin(struct db_transaction *transaction, const struct db_statement *statement,
                          size_t columns, struct db_copy **ret_copy) {
    enum status status = transaction_open(transaction);
    if (status != STATUS_OK)
        return status;
    struct db_copy *copy = calloc(1, sizeof(*copy));
    if (!copy)
        return STATUS_NO_MEMORY;
    copy->transaction = transaction;
    copy->statement = statement;
    copy_parser_init(&copy->parser, columns);
    transaction->is_copying = true;
    status = start(copy);
    if (status != STATUS_OK) {
        db_copy_finish(copy);
        return status;
    }
    *ret_copy = copy;
    return STATUS_OK;
}

static enum status malformed(struct db_copy *copy) {
    session_break(copy->transaction->connection, "COPY sent what it should not");
    return fail(copy, STATUS_MALFORMED, NULL);
}

// The next piece to the parser; at the end of the stream `*ret_has_piece` is false.
static enum status feed(struct db_copy *copy, bool *ret_has_piece) {
    size_t len;
    PQfreemem(copy->piece);
    copy->piece = NULL;
    enum status status =
        session_get_copy_data(copy->transaction->connection,
                              transaction_get_answer_deadline_ns(copy->transaction), &copy->piece, &len);
    if (status != STATUS_OK)
        return fail(copy, status, NULL);
    *ret_has_piece = copy->piece != NULL;
    if (copy->piece)
        copy_parser_feed(&copy->parser, bytes_of(copy->piece, len));
    return STATUS_OK;
}

// The stream has ended: an error of the server explains a missing trailer.
static enum status end_stream(struct db_copy *copy, bool *ret_has_row) {
    enum status status = end_command(copy);
    if (status != STATUS_OK)
        return status;
    if (copy->parser.state != COPY_PARSER_END)
        return malformed(copy);
    *ret_has_row = false;
    return STATUS_OK;
}

enum status db_copy_next(struct db_copy *copy, struct bytes *ret_fields, bool *ret_has_row) {
    assert(!copy->has_ended);
    for (;;) {
        switch (copy_parser_next(&copy->parser, ret_fields)) {
        case COPY_PARSER_EVENT_ROW: *ret_has_row = true; return STATUS_OK;
        case COPY_PARSER_EVENT_MALFORMED: return malformed(copy);
        case COPY_PARSER_EVENT_NO_MEMORY:
            session_break(copy->transaction->connection, "out of memory");
            return fail(copy, STATUS_NO_MEMORY, NULL);
        case COPY_PARSER_EVENT_END: // the stream's own end is still to come
        case COPY_PARSER_EVENT_NEEDS_MORE: break;
        }
        bool has_piece = false;
        enum status status = feed(copy, &has_piece);
        if (status != STATUS_OK)
            return status;
        if (!has_piece)
            return end_stream(copy, ret_has_row);
    }
}

void db_copy_finish(struct db_copy *copy) {
    if (!copy)
        return;
    if (!copy->has_ended)
        session_break(copy->transaction->connection, "COPY was given up");
    copy->transaction->is_copying = false;
    copy_parser_fini(&copy->parser);
    PQfreemem(copy->piece);
    free(copy);
}
