// A database of its own for one test program, on the server that LATCHKEY_TEST_DATABASE_URL names, and plain
// libpq beside the code under test: to set things up, to break them, and to look at what is really there.
#ifndef LATCHKEY_TESTS_INTEGRATION_DB_DATABASE_H
#define LATCHKEY_TESTS_INTEGRATION_DB_DATABASE_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/db/connection.h"
#include "common/db/transaction.h"

#define DATABASE_URL_MAX 1023

struct database {
    char url[DATABASE_URL_MAX + 1];
    char name[64];
};

// Made empty; failures end the test. A program makes as many as it likes.
struct database database_new(void);
void database_drop(const struct database *database);

// The connection string with one keyword changed.
void database_url_with(const char *url, const char *keyword, const char *value,
                       char ret_url[DATABASE_URL_MAX + 1]);

// Over a connection of its own: must succeed. Several statements may stand in `sql`.
void database_run(const char *url, const char *sql);
// The first value of the first row as a number; fails the test where there is none.
int64_t database_ask(const char *url, const char *sql);

// A deadline so many milliseconds from now.
uint64_t deadline_in_ms(uint64_t ms);

// A connection of the code under test, opened without a pool.
struct db_connection *database_open(const char *url);

// The backend that serves the transaction.
int32_t get_backend(struct db_transaction *transaction);

// Waits until `sql` gives `wanted`; fails the test after 20 s.
void database_await(const char *url, const char *sql, int64_t wanted);

#endif
