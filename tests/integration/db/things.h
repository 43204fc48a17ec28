// A small schema to run transactions on: what the tests of transactions and of their outcomes share.
#ifndef LATCHKEY_TESTS_INTEGRATION_DB_THINGS_H
#define LATCHKEY_TESTS_INTEGRATION_DB_THINGS_H

#include "tests/integration/db/database.h"

// One test's own: made anew for each by things_set_up().
extern struct database things_database;
extern struct arena things_arena;
extern struct db_connection *things_connection;

// cmocka's set-ups and tear-downs, of the group and of each test.
int things_set_up_group(void **state);
int things_tear_down_group(void **state);
int things_set_up(void **state);
int things_tear_down(void **state);

#define THINGS_CASE(name) cmocka_unit_test_setup_teardown(name, things_set_up, things_tear_down)

// thing(id, amount > 0), by whose rows what was committed is counted.
extern const struct db_statement things_insert, things_count, things_select_one;

struct db_begin_options things_options_in_ms(uint64_t ms);
struct db_transaction *things_begin_with(const struct db_begin_options *options);
struct db_transaction *things_begin(void);
struct db_params things_make_params(int64_t id, int64_t amount);
enum status things_insert_one(struct db_transaction *transaction, int64_t id, int64_t amount);
int64_t things_count_committed(void);

#endif
