// COPY against a SELECT of the same rows, and every way in which it can end early.
#include <stdio.h>
#include <string.h>

#include "common/db/copy.h"
#include "common/db/value.h"
#include "tests/integration/db/database.h"
#include "tests/unit/unit.h"

#define ROWS 200000

static struct database database;
static struct arena arena;
static struct db_connection *connection;

static const struct db_statement copy_rows = {
    "test_copy", "COPY (SELECT id, name, made_at, allowed FROM thing ORDER BY id) TO STDOUT (FORMAT binary)"};
static const struct db_statement select_rows = {"test_select",
                                                "SELECT id, name, made_at, allowed FROM thing ORDER BY id"};

static int set_up_group(void **state) {
    (void)state;
    char sql[512];
    database = database_new();
    snprintf(
        sql, sizeof(sql),
        "CREATE TABLE thing AS SELECT i::int8 AS id, CASE WHEN i %% 7 <> 0 THEN repeat('x', i %% 100) END AS name,"
        " now() + i * interval '1 ms' AS made_at, ('10.0.0.0'::inet + i)::cidr AS allowed"
        " FROM generate_series(1, %d) i",
        ROWS);
    database_run(database.url, sql);
    return 0;
}

static int tear_down_group(void **state) {
    (void)state;
    database_drop(&database);
    return 0;
}

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    connection = database_open(database.url);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    db_connection_close(connection);
    arena_fini(&arena);
    return 0;
}

static struct db_transaction *begin(uint64_t deadline_ms) {
    struct db_begin_options options = {.arena = &arena,
                                       .deadline_ns = deadline_in_ms(deadline_ms),
                                       .access = DB_READ_ONLY,
                                       .isolation = DB_REPEATABLE_READ};
    struct db_transaction *transaction;
    assert_int_equal(db_begin(connection, &options, &transaction), STATUS_OK);
    return transaction;
}

static void expect_row(const struct db_result *result, int row, const struct bytes *fields) {
    int64_t id, made_at_ms;
    struct ip_prefix allowed, wanted = db_result_get_prefix(result, row, 3);
    assert_true(db_value_read_int64(fields[0], &id) && id == db_result_get_int64(result, row, 0));
    assert_true(bytes_is_equal(fields[1], db_result_get_text(result, row, 1)));
    assert_int_equal(fields[1].data == NULL, db_result_is_null(result, row, 1));
    assert_true(db_value_read_time_ms(fields[2], &made_at_ms));
    assert_true(made_at_ms == db_result_get_time_ms(result, row, 2));
    assert_true(db_value_read_prefix(fields[3], &allowed));
    assert_int_equal(ip_prefix_compare(&allowed, &wanted), 0);
}

static void a_copy_has_the_rows_of_the_select(void **state) {
    (void)state;
    struct db_transaction *transaction = begin(60000);
    const struct db_result *result;
    struct db_copy *copy;
    struct bytes fields[4];
    bool has_row = true;
    int row = 0;
    assert_int_equal(db_query(transaction, &select_rows, NULL, &result), STATUS_OK);
    assert_int_equal(db_copy_begin(transaction, &copy_rows, 4, &copy), STATUS_OK);
    for (; db_copy_next(copy, fields, &has_row) == STATUS_OK && has_row; row++)
        expect_row(result, row, fields);
    assert_false(has_row);
    assert_int_equal(row, ROWS);
    db_copy_finish(copy);

    // The transaction goes on, in the same snapshot.
    assert_int_equal(db_query(transaction, &select_rows, NULL, &result), STATUS_OK);
    assert_int_equal(db_result_get_row_count(result), ROWS);
    assert_int_equal(db_commit(transaction), STATUS_OK);
    assert_false(db_connection_is_broken(connection));
}

static void a_copy_without_rows_ends_at_once(void **state) {
    (void)state;
    static const struct db_statement statement = {"test_copy_none",
                                                  "COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT binary)"};
    struct db_transaction *transaction = begin(20000);
    struct db_copy *copy;
    struct bytes field;
    bool has_row = true;
    assert_int_equal(db_copy_begin(transaction, &statement, 1, &copy), STATUS_OK);
    assert_int_equal(db_copy_next(copy, &field, &has_row), STATUS_OK);
    assert_false(has_row);
    db_copy_finish(copy);
    assert_int_equal(db_commit(transaction), STATUS_OK);
}

static void wrong_sql_fails_and_the_connection_lives_on(void **state) {
    (void)state;
    static const struct db_statement statement = {"test_copy_wrong",
                                                  "COPY nowhere TO STDOUT (FORMAT binary)"};
    struct db_transaction *transaction = begin(20000);
    struct db_copy *copy;
    assert_int_equal(db_copy_begin(transaction, &statement, 1, &copy), STATUS_INTERNAL);
    db_rollback(transaction);
    assert_false(db_connection_is_broken(connection));
    transaction = begin(20000);
    assert_int_equal(db_query(transaction, &select_rows, NULL, NULL), STATUS_OK);
    db_rollback(transaction);
}

static void an_error_behind_some_rows_is_told(void **state) {
    (void)state;
    static const struct db_statement statement = {
        "test_copy_fails",
        "COPY (SELECT 1 / (1000 - i) FROM generate_series(1, 2000) i) TO STDOUT (FORMAT binary)"};
    struct db_transaction *transaction = begin(20000);
    struct db_copy *copy;
    struct bytes field;
    bool has_row = true;
    int rows = 0;
    enum status status;
    assert_int_equal(db_copy_begin(transaction, &statement, 1, &copy), STATUS_OK);
    while ((status = db_copy_next(copy, &field, &has_row)) == STATUS_OK && has_row)
        rows++;
    assert_int_equal(status, STATUS_INTERNAL);
    assert_in_range(rows, 1, 999);
    db_copy_finish(copy);
    db_rollback(transaction);
    assert_false(db_connection_is_broken(connection));
}

static void another_number_of_columns_is_refused(void **state) {
    (void)state;
    struct db_transaction *transaction = begin(20000);
    struct db_copy *copy;
    struct bytes fields[3];
    bool has_row;
    assert_int_equal(db_copy_begin(transaction, &copy_rows, 3, &copy), STATUS_OK);
    assert_int_equal(db_copy_next(copy, fields, &has_row), STATUS_MALFORMED);
    db_copy_finish(copy);
    db_rollback(transaction);
    assert_true(db_connection_is_broken(connection));
}

static void a_copy_given_up_breaks_the_connection(void **state) {
    (void)state;
    struct db_transaction *transaction = begin(20000);
    struct db_copy *copy;
    struct bytes fields[4];
    bool has_row;
    assert_int_equal(db_copy_begin(transaction, &copy_rows, 4, &copy), STATUS_OK);
    assert_int_equal(db_copy_next(copy, fields, &has_row), STATUS_OK);
    db_copy_finish(copy);
    db_rollback(transaction);
    assert_true(db_connection_is_broken(connection));
}

static void the_deadline_ends_a_copy(void **state) {
    (void)state;
    static const struct db_statement statement = {
        "test_copy_slow",
        "COPY (SELECT pg_sleep(0.05) FROM generate_series(1, 1000)) TO STDOUT (FORMAT binary)"};
    struct db_transaction *transaction = begin(400);
    struct db_copy *copy;
    struct bytes field;
    bool has_row = true;
    enum status status;
    assert_int_equal(db_copy_begin(transaction, &statement, 1, &copy), STATUS_OK);
    while ((status = db_copy_next(copy, &field, &has_row)) == STATUS_OK && has_row)
        ;
    assert_int_equal(status, STATUS_DEADLINE_EXCEEDED);
    db_copy_finish(copy);
    db_rollback(transaction);
    assert_false(db_connection_is_broken(connection));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_copy_has_the_rows_of_the_select),
        CASE(a_copy_without_rows_ends_at_once),
        CASE(wrong_sql_fails_and_the_connection_lives_on),
        CASE(an_error_behind_some_rows_is_told),
        CASE(another_number_of_columns_is_refused),
        CASE(a_copy_given_up_breaks_the_connection),
        CASE(the_deadline_ends_a_copy),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
