// Why a connection to the database could not be opened, as one sentence for the operator: what is wrong,
// where, and what to do. Never holds a password or the URL.
#ifndef LATCHKEY_COMMON_DB_CONNECT_FAILURE_H
#define LATCHKEY_COMMON_DB_CONNECT_FAILURE_H

#include <stdbool.h>

#include "common/base/status.h"

#define DB_CONNECT_SENTENCE_MAX 511
#define DB_URL_HINT "type postgresql://user@host:5432/database, or host=... dbname=... user=..."

// Name, is it permanent (an operator has to change something), what the sentence says after "the database at
// HOST: ".
#define DB_CONNECT_FAILURE_TABLE(X)                                                                          \
    X(NONE, false, "connected")                                                                              \
    X(OTHER, false, "the connection failed")                                                                 \
    X(NO_MEMORY, false, "out of memory")                                                                     \
    X(BAD_URL, true, "the connection string can't be used; " DB_URL_HINT)                                    \
    X(UNKNOWN_HOST, false, "the host name can't be resolved; check the name, and the name server")           \
    X(REFUSED, false, "nothing listens there; is PostgreSQL running, and on that port?")                     \
    X(NO_SOCKET, false, "the socket does not exist; is PostgreSQL running, and with that socket directory?") \
    X(UNREACHABLE, false, "there is no way to that host; check routes and firewalls")                        \
    X(TIMED_OUT, false, "no answer in time; check the host, its load, and firewalls between")                \
    X(NOT_POSTGRES, true, "what answers there does not speak PostgreSQL's protocol")                         \
    X(WRONG_PASSWORD, true,                                                                                  \
      "the password for the user is wrong or missing; give it in PGPASSWORD, a passfile or the URL")         \
    X(NOT_ADMITTED, true, "the server's pg_hba.conf does not admit this user from here")                     \
    X(NO_DATABASE, true, "the database does not exist; create it, or correct the name in the URL")           \
    X(NO_USER, true, "the user does not exist or may not log in")                                            \
    X(NO_RIGHTS, true, "the user lacks the right to connect to this database")                               \
    X(NO_ROLE, true,                                                                                         \
      "the user may not take latchkey's database role; run `latchkey migrate`, or grant the role")           \
    X(NO_SCHEMA, true, "it has no latchkey schema yet; run `latchkey migrate`")                              \
    X(TOO_MANY, false, "it has no free connections; lower --database-pool-size or raise max_connections")    \
    X(STARTING, false, "it is starting up, shutting down or recovering")                                     \
    X(READ_ONLY, false, "no host accepts writes; is a primary elected?")                                     \
    X(TLS, true, "TLS could not be agreed on; check sslmode and the certificates")

enum db_connect_failure_kind {
#define DB_CONNECT_FAILURE_ENUM(name, is_permanent, text) DB_CONNECT_##name,
    DB_CONNECT_FAILURE_TABLE(DB_CONNECT_FAILURE_ENUM)
#undef DB_CONNECT_FAILURE_ENUM
        DB_CONNECT_COUNT
};

struct db_connect_failure {
    enum db_connect_failure_kind kind;
    char sentence[DB_CONNECT_SENTENCE_MAX +
                  1]; // "the database latchkey at 127.0.0.1:5432: nothing listens there; ..."
};

// An operator must change something: trying again by itself won't help.
bool db_connect_failure_is_permanent(enum db_connect_failure_kind kind);

// Which kind libpq's message stands for. `message` carries the SQLSTATE where the server sent one ("FATAL:
// 28P01:
// ...", PQERRORS_VERBOSE), so that the server's language does not matter. Pure.
enum db_connect_failure_kind db_connect_classify(const char *message);

// Fills in the sentence. `place` names database and host without secrets.
struct db_connect_failure db_connect_explain(enum db_connect_failure_kind kind, const char *place);

// UNAVAILABLE, PERMISSION_DENIED when permanent, INVALID for the URL, FAILED_PRECONDITION without our schema,
// NO_MEMORY.
enum status db_connect_failure_get_status(enum db_connect_failure_kind kind);

#endif
