// A statement of a store: a row of its const table. A connection prepares it on first use and remembers that,
// unless
// --database-prepare=off says that a pooler between us and PostgreSQL would forget it.
#ifndef LATCHKEY_COMMON_DB_STATEMENT_H
#define LATCHKEY_COMMON_DB_STATEMENT_H

// Static storage: a connection knows it by its address.
struct db_statement {
    const char *name; // snake_case, unique in the process; in logs, and PostgreSQL's name for it
    const char *sql;  // one statement, parameters $1..$n
};

#endif
