// Transactions against a real server: what travels together, what is set for how long, and what each failure
// is called.
#include <stdio.h>

#include "tests/integration/db/things.h"
#include "tests/unit/unit.h"

static const struct db_statement sleep_long = {"test_sleep", "SELECT pg_sleep(30)"};

static void what_is_committed_is_there_and_what_is_rolled_back_is_not(void **state) {
    (void)state;
    struct db_transaction *transaction = things_begin();
    assert_int_equal(things_insert_one(transaction, 1, 1), STATUS_OK);
    assert_int_equal(things_count_committed(), 0);
    assert_int_equal(db_commit(transaction), STATUS_OK);
    assert_int_equal(things_count_committed(), 1);

    transaction = things_begin();
    assert_int_equal(things_insert_one(transaction, 2, 1), STATUS_OK);
    db_rollback(transaction);
    assert_int_equal(things_count_committed(), 1);
}

static void a_commit_without_a_statement_succeeds(void **state) {
    (void)state;
    assert_int_equal(db_commit(things_begin()), STATUS_OK);
    db_rollback(things_begin());
    assert_int_equal(db_commit(things_begin()), STATUS_OK);
}

static void revisions_come_back_with_the_commit(void **state) {
    (void)state;
    const struct db_revision *revisions;
    size_t count;
    struct db_transaction *transaction = things_begin();
    assert_int_equal(things_insert_one(transaction, 1, 1), STATUS_OK);
    assert_int_equal(things_insert_one(transaction, 2, 1), STATUS_OK);
    assert_int_equal(db_commit_with_revisions(transaction, &revisions, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(revisions[0].lane, 7);
    assert_int_equal(revisions[0].seq, 2);
    assert_int_equal(revisions[0].mark, -5);
    assert_int_equal(things_count_committed(), 2);
}

static void a_last_statement_travels_with_the_commit_and_before_the_revisions(void **state) {
    (void)state;
    const struct db_revision *revisions;
    size_t count;
    struct db_params first = things_make_params(1, 1), second = things_make_params(2, 1);
    struct db_transaction *transaction = things_begin();
    assert_int_equal(db_query(transaction, &things_select_one, NULL, NULL), STATUS_OK);
    db_add_last(transaction, &things_insert, &first);
    db_add_last(transaction, &things_insert, &second);
    assert_int_equal(db_commit_with_revisions(transaction, &revisions, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(revisions[0].seq, 2);
    assert_int_equal(things_count_committed(), 2);
}

static void a_transaction_may_consist_of_its_last_statement(void **state) {
    (void)state;
    struct db_params params = things_make_params(1, 1);
    struct db_transaction *transaction = things_begin();
    db_add_last(transaction, &things_insert, &params);
    assert_int_equal(db_commit(transaction), STATUS_OK);
    assert_int_equal(things_count_committed(), 1);
}

static void a_last_statement_that_fails_undoes_everything(void **state) {
    (void)state;
    struct db_params bad = things_make_params(2, 0);
    struct db_transaction *transaction = things_begin();
    assert_int_equal(things_insert_one(transaction, 1, 1), STATUS_OK);
    db_add_last(transaction, &things_insert, &bad);
    assert_int_equal(db_commit(transaction), STATUS_INVALID);
    assert_int_equal(things_count_committed(), 0);
    assert_false(db_connection_is_broken(things_connection));
}

static void a_last_statement_of_a_transaction_that_is_rolled_back_is_not_sent(void **state) {
    (void)state;
    struct db_params params = things_make_params(1, 1);
    struct db_transaction *transaction = things_begin();
    db_add_last(transaction, &things_insert, &params);
    db_rollback(transaction);
    assert_int_equal(db_commit(things_begin()), STATUS_OK);
    assert_int_equal(things_count_committed(), 0);
}

static void each_constraint_has_its_status_and_its_name(void **state) {
    (void)state;
    static const struct db_statement insert_part = {"test_part", "INSERT INTO part VALUES ($1)"};
    struct db_params params;

    struct db_transaction *transaction = things_begin();
    assert_int_equal(things_insert_one(transaction, 1, 1), STATUS_OK);
    assert_int_equal(things_insert_one(transaction, 1, 1), STATUS_ALREADY_EXISTS);
    assert_string_equal(db_get_error(transaction)->constraint, "thing_id");
    assert_string_equal(db_get_error(transaction)->sqlstate, "23505");
    db_rollback(transaction);

    transaction = things_begin();
    assert_int_equal(things_insert_one(transaction, 1, 0), STATUS_INVALID);
    assert_string_equal(db_get_error(transaction)->constraint, "thing_amount");
    db_rollback(transaction);

    transaction = things_begin();
    db_params_init(&params, &things_arena);
    db_params_add_int64(&params, 99);
    assert_int_equal(db_query(transaction, &insert_part, &params, NULL), STATUS_FAILED_PRECONDITION);
    assert_string_equal(db_get_error(transaction)->constraint, "part_thing");
    db_rollback(transaction);
    assert_false(db_connection_is_broken(things_connection));
}

static void after_a_failure_only_rollback_is_left(void **state) {
    (void)state;
    struct db_transaction *transaction = things_begin();
    assert_int_equal(things_insert_one(transaction, 1, 0), STATUS_INVALID);
    assert_int_equal(db_query(transaction, &things_select_one, NULL, NULL), STATUS_ABORTED);
    assert_int_equal(db_commit(transaction), STATUS_ABORTED);
    transaction = things_begin();
    assert_int_equal(db_query(transaction, &things_select_one, NULL, NULL), STATUS_OK);
    assert_int_equal(db_commit(transaction), STATUS_OK);
}

static void wrong_sql_is_an_internal_error_and_the_connection_lives_on(void **state) {
    (void)state;
    static const struct db_statement nonsense = {"test_nonsense", "SELECT nothing FROM nowhere"};
    for (int i = 0; i < 2; i++) {
        struct db_transaction *transaction = things_begin();
        assert_int_equal(db_query(transaction, &nonsense, NULL, NULL), STATUS_INTERNAL);
        db_rollback(transaction);
    }
    assert_false(db_connection_is_broken(things_connection));
}

static void a_batch_is_one_answer_and_stops_at_its_first_failure(void **state) {
    (void)state;
    struct db_command commands[] = {
        {.statement = &things_select_one}, {.statement = &things_count}, {.statement = &things_select_one}};
    struct db_transaction *transaction = things_begin();
    assert_int_equal(db_query_batch(transaction, commands, 3), STATUS_OK);
    assert_int_equal(db_result_get_int32(commands[0].result, 0, 0), 1);
    assert_int_equal(db_result_get_int64(commands[1].result, 0, 0), 0);
    assert_int_equal(db_result_get_int32(commands[2].result, 0, 0), 1);
    struct db_params bad = things_make_params(5, 0), good = things_make_params(6, 1);
    struct db_command failing[] = {{&things_insert, &bad, NULL}, {&things_insert, &good, NULL}};
    assert_int_equal(db_query_batch(transaction, failing, 2), STATUS_INVALID);
    db_rollback(transaction);
    assert_int_equal(things_count_committed(), 0);
}

static void the_company_is_set_for_the_transaction_alone(void **state) {
    (void)state;
    static const struct db_statement get_company = {
        "test_company", "SELECT coalesce(current_setting('latchkey.company', true), '')"};
    const struct db_result *result;
    struct db_begin_options options = things_options_in_ms(20000);
    options.company = uuid_new(clock_get_system());
    char wanted[UUID_TEXT_LENGTH + 1];
    uuid_format(options.company, wanted);
    struct db_transaction *transaction = things_begin_with(&options);
    assert_int_equal(db_query(transaction, &get_company, NULL, &result), STATUS_OK);
    assert_true(bytes_is_text(db_result_get_text(result, 0, 0), wanted));
    options.company = uuid_new(clock_get_system());
    uuid_format(options.company, wanted);
    db_set_company(transaction, options.company);
    assert_int_equal(db_query(transaction, &get_company, NULL, &result), STATUS_OK);
    assert_true(bytes_is_text(db_result_get_text(result, 0, 0), wanted));
    assert_int_equal(db_commit(transaction), STATUS_OK);

    transaction = things_begin();
    assert_int_equal(db_query(transaction, &get_company, NULL, &result), STATUS_OK);
    assert_true(bytes_is_text(db_result_get_text(result, 0, 0), ""));
    db_rollback(transaction);
}

static void a_read_only_transaction_writes_nothing(void **state) {
    (void)state;
    struct db_begin_options options = things_options_in_ms(20000);
    options.access = DB_READ_ONLY;
    struct db_transaction *transaction = things_begin_with(&options);
    // 25006 stands for a primary that has become a standby: its connection is given up.
    assert_int_equal(things_insert_one(transaction, 1, 1), STATUS_UNAVAILABLE);
    db_rollback(transaction);
    assert_true(db_connection_is_broken(things_connection));
    assert_int_equal(things_count_committed(), 0);
}

static void serialization_failures_ask_for_another_try(void **state) {
    (void)state;
    static const struct db_statement raise_amount = {"test_raise", "UPDATE thing SET amount = amount + 1"};
    database_run(things_database.url, "INSERT INTO thing VALUES (1, 1)");
    struct db_begin_options options = things_options_in_ms(20000);
    options.isolation = DB_REPEATABLE_READ;
    struct db_transaction *transaction = things_begin_with(&options);
    assert_int_equal(db_query(transaction, &things_count, NULL, NULL), STATUS_OK);
    database_run(things_database.url, "UPDATE thing SET amount = 10");
    assert_int_equal(db_query(transaction, &raise_amount, NULL, NULL), STATUS_ABORTED);
    assert_string_equal(db_get_error(transaction)->sqlstate, "40001");
    db_rollback(transaction);
    assert_false(db_connection_is_broken(things_connection));
}

static void the_deadline_ends_a_statement_and_the_connection_lives_on(void **state) {
    (void)state;
    struct db_begin_options options = things_options_in_ms(300);
    struct db_transaction *transaction = things_begin_with(&options);
    assert_int_equal(db_query(transaction, &sleep_long, NULL, NULL), STATUS_DEADLINE_EXCEEDED);
    db_rollback(transaction);
    assert_false(db_connection_is_broken(things_connection));
    transaction = things_begin();
    assert_int_equal(db_query(transaction, &things_select_one, NULL, NULL), STATUS_OK);
    assert_int_equal(db_commit(transaction), STATUS_OK);
}

static void a_later_statement_gets_what_is_left(void **state) {
    (void)state;
    static const struct db_statement nap = {"test_nap", "SELECT pg_sleep(0.6)"};
    struct db_begin_options options = things_options_in_ms(1000);
    uint64_t begin_ns = clock_get_monotonic_ns(clock_get_system());
    struct db_transaction *transaction = things_begin_with(&options);
    assert_int_equal(db_query(transaction, &nap, NULL, NULL), STATUS_OK);
    assert_int_equal(db_query(transaction, &nap, NULL, NULL), STATUS_DEADLINE_EXCEEDED);
    uint64_t took_ms = (clock_get_monotonic_ns(clock_get_system()) - begin_ns) / 1000000;
    db_rollback(transaction);
    assert_in_range(took_ms, 950, 1190); // shorter than two naps
    assert_false(db_connection_is_broken(things_connection));
}

static void past_the_deadline_nothing_is_sent(void **state) {
    (void)state;
    struct db_begin_options options = things_options_in_ms(0);
    struct db_transaction *transaction = NULL;
    assert_int_equal(db_begin(things_connection, &options, &transaction), STATUS_DEADLINE_EXCEEDED);
    assert_null(transaction);
}

// Cancels without end while one statement after the other runs: none may be hit but those of a cancelled

// call.

static void statements_without_a_transaction_are_committed_together(void **state) {
    (void)state;
    struct db_begin_options options = things_options_in_ms(20000);
    struct db_params first = things_make_params(1, 1), second = things_make_params(2, 1),
                     bad = things_make_params(3, 0);
    struct db_command good_commands[] = {
        {&things_insert, &first, NULL}, {&things_insert, &second, NULL}, {&things_count, NULL, NULL}};
    assert_int_equal(db_execute(things_connection, &options, good_commands, 3), STATUS_OK);
    assert_int_equal(db_result_get_int64(good_commands[2].result, 0, 0), 2);
    assert_int_equal(things_count_committed(), 2);

    struct db_params third = things_make_params(4, 1);
    struct db_command bad_commands[] = {{&things_insert, &third, NULL}, {&things_insert, &bad, NULL}};
    assert_int_equal(db_execute(things_connection, &options, bad_commands, 2), STATUS_INVALID);
    assert_int_equal(things_count_committed(), 2);
}

static void expect_role(struct db_connection *with_role, const char *transaction_role, const char *wanted) {
    static const struct db_statement get_role = {"test_role", "SELECT current_setting('role')"};
    struct db_begin_options options = things_options_in_ms(20000);
    const struct db_result *result;
    struct db_transaction *transaction;
    options.role = transaction_role;
    assert_int_equal(db_begin(with_role, &options, &transaction), STATUS_OK);
    assert_int_equal(db_query(transaction, &get_role, NULL, &result), STATUS_OK);
    assert_true(bytes_is_text(db_result_get_text(result, 0, 0), wanted));
    assert_int_equal(db_commit(transaction), STATUS_OK);
}

static void the_role_holds_with_and_without_a_session_to_keep_it(void **state) {
    (void)state;
    char role[80], sql[256];
    snprintf(role, sizeof(role), "%s_role", things_database.name);
    snprintf(sql, sizeof(sql), "CREATE ROLE %s; GRANT %s TO current_user", role, role);
    database_run(things_database.url, sql);
    static const enum db_prepare ways[] = {DB_PREPARE_ONCE, DB_PREPARE_OFF};
    for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
        struct db_connection_options options = {.url = things_database.url, .role = role, .prepare = ways[i]};
        struct db_connection *with_role;
        struct db_connect_failure failure;
        assert_int_equal(db_connection_open(&options, deadline_in_ms(5000), &with_role, &failure), STATUS_OK);
        expect_role(with_role, NULL, role);
        expect_role(with_role, "none", "none");
        expect_role(with_role, NULL, role);
        db_connection_close(with_role);
    }
    snprintf(sql, sizeof(sql), "DROP ROLE %s", role);
    database_run(things_database.url, sql);
}

static void nothing_is_prepared_when_a_pooler_is_between(void **state) {
    (void)state;
    static const struct db_statement count_prepared = {
        "test_prepared", "SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql"};
    static const struct {
        enum db_prepare prepare;
        bool has_prepared;
    } ways[] = {{DB_PREPARE_ONCE, true}, {DB_PREPARE_OFF, false}};
    for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
        struct db_connection_options options = {.url = things_database.url, .prepare = ways[i].prepare};
        struct db_begin_options begin_options = things_options_in_ms(20000);
        struct db_command commands[] = {{.statement = &things_select_one}, {.statement = &count_prepared}};
        struct db_connection *opened;
        struct db_connect_failure failure;
        assert_int_equal(db_connection_open(&options, deadline_in_ms(5000), &opened, &failure), STATUS_OK);
        for (int k = 0; k < 3; k++)
            assert_int_equal(db_execute(opened, &begin_options, commands, 2), STATUS_OK);
        assert_int_equal(db_result_get_int64(commands[1].result, 0, 0) > 0, ways[i].has_prepared);
        db_connection_close(opened);
    }
}

static void memory_that_runs_out_fails_the_statement_and_not_the_connection(void **state) {
    (void)state;
    size_t failures = 0, successes = 0;
    for (size_t limit = 1; limit < 1024; limit++) {
        struct arena small;
        arena_init(&small, limit);
        struct db_begin_options options = things_options_in_ms(20000);
        options.arena = &small;
        struct db_transaction *transaction = things_begin_with(&options);
        struct db_params params;
        db_params_init(&params, &small);
        db_params_add_int64(&params, (int64_t)limit);
        db_params_add_int64(&params, 1);
        enum status status = db_query(transaction, &things_insert, &params, NULL);
        db_rollback(transaction);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        failures += status == STATUS_NO_MEMORY;
        successes += status == STATUS_OK;
        assert_false(db_connection_is_broken(things_connection));
        arena_fini(&small);
    }
    assert_true(failures > 0 && successes > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        THINGS_CASE(what_is_committed_is_there_and_what_is_rolled_back_is_not),
        THINGS_CASE(a_commit_without_a_statement_succeeds),
        THINGS_CASE(revisions_come_back_with_the_commit),
        THINGS_CASE(a_last_statement_travels_with_the_commit_and_before_the_revisions),
        THINGS_CASE(a_transaction_may_consist_of_its_last_statement),
        THINGS_CASE(a_last_statement_that_fails_undoes_everything),
        THINGS_CASE(a_last_statement_of_a_transaction_that_is_rolled_back_is_not_sent),
        THINGS_CASE(each_constraint_has_its_status_and_its_name),
        THINGS_CASE(after_a_failure_only_rollback_is_left),
        THINGS_CASE(wrong_sql_is_an_internal_error_and_the_connection_lives_on),
        THINGS_CASE(a_batch_is_one_answer_and_stops_at_its_first_failure),
        THINGS_CASE(the_company_is_set_for_the_transaction_alone),
        THINGS_CASE(a_read_only_transaction_writes_nothing),
        THINGS_CASE(serialization_failures_ask_for_another_try),
        THINGS_CASE(the_deadline_ends_a_statement_and_the_connection_lives_on),
        THINGS_CASE(a_later_statement_gets_what_is_left),
        THINGS_CASE(past_the_deadline_nothing_is_sent),
        THINGS_CASE(statements_without_a_transaction_are_committed_together),
        THINGS_CASE(the_role_holds_with_and_without_a_session_to_keep_it),
        THINGS_CASE(nothing_is_prepared_when_a_pooler_is_between),
        THINGS_CASE(memory_that_runs_out_fails_the_statement_and_not_the_connection),
    };
    return cmocka_run_group_tests(tests, things_set_up_group, things_tear_down_group);
}
