#include "tests/integration/db/things.h"

#include "tests/unit/unit.h"

struct database things_database;
struct arena things_arena;
struct db_connection *things_connection;

const struct db_statement things_insert = {"test_insert", "INSERT INTO thing (id, amount) VALUES ($1, $2)"};
const struct db_statement things_count = {"test_count", "SELECT count(*) FROM thing"};
const struct db_statement things_select_one = {"test_one", "SELECT 1"};

static const char schema[] =
    "CREATE TABLE thing (id int8 CONSTRAINT thing_id PRIMARY KEY, amount int8 CONSTRAINT thing_amount CHECK (amount > 0));"
    "CREATE TABLE part (thing int8 CONSTRAINT part_thing REFERENCES thing);"
    "CREATE SCHEMA latchkey;"
    "CREATE FUNCTION latchkey.change_flush() RETURNS TABLE (lane smallint, seq bigint, mark bigint) LANGUAGE sql AS"
    " $$ SELECT 7::smallint, count(*), -5::bigint FROM public.thing HAVING count(*) > 0 $$;";

int things_set_up_group(void **state) {
    (void)state;
    things_database = database_new();
    database_run(things_database.url, schema);
    return 0;
}

int things_tear_down_group(void **state) {
    (void)state;
    database_drop(&things_database);
    return 0;
}

int things_set_up(void **state) {
    (void)state;
    arena_init(&things_arena, 0);
    database_run(things_database.url, "TRUNCATE thing, part");
    things_connection = database_open(things_database.url);
    return 0;
}

int things_tear_down(void **state) {
    (void)state;
    db_connection_close(things_connection);
    arena_fini(&things_arena);
    return 0;
}

struct db_begin_options things_options_in_ms(uint64_t ms) {
    return (struct db_begin_options){.arena = &things_arena, .deadline_ns = deadline_in_ms(ms)};
}

struct db_transaction *things_begin_with(const struct db_begin_options *options) {
    struct db_transaction *transaction = NULL;
    assert_int_equal(db_begin(things_connection, options, &transaction), STATUS_OK);
    return transaction;
}

struct db_transaction *things_begin(void) {
    struct db_begin_options options = things_options_in_ms(20000);
    return things_begin_with(&options);
}

struct db_params things_make_params(int64_t id, int64_t amount) {
    struct db_params params;
    db_params_init(&params, &things_arena);
    db_params_add_int64(&params, id);
    db_params_add_int64(&params, amount);
    return params;
}

enum status things_insert_one(struct db_transaction *transaction, int64_t id, int64_t amount) {
    struct db_params params = things_make_params(id, amount);
    return db_query(transaction, &things_insert, &params, NULL);
}

int64_t things_count_committed(void) {
    return database_ask(things_database.url, "SELECT count(*) FROM thing");
}
