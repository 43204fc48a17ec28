// What becomes of a transaction that is cancelled, whose backend is killed, or whose COMMIT has no clear
// answer.
#include <poll.h>
#include <pthread.h>
#include <stdio.h>

#include "common/db/pool.h"
#include "tests/integration/db/things.h"
#include "tests/unit/unit.h"

static const struct db_statement sleep_long = {"test_sleep", "SELECT pg_sleep(30)"};
static const struct db_statement slow_commit = {"test_slow_commit", "INSERT INTO slow_to_commit VALUES (1)"};
static const struct db_statement warn_at_commit = {"test_warn", "INSERT INTO warns_at_commit VALUES (1)"};
static const struct db_statement refused_commit = {"test_refused",
                                                   "INSERT INTO refused_at_commit VALUES (1)"};

// Tables whose deferred triggers act in the middle of COMMIT.
static const char schema[] =
    "CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;"
    "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'canceling wait for"
    " synchronous replication'; RETURN NULL; END $$;"
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;"
    "CREATE TABLE slow_to_commit (id int8);"
    "CREATE TABLE warns_at_commit (id int8);"
    "CREATE TABLE refused_at_commit (id int8);"
    "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow_to_commit DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION sleep();"
    "CREATE CONSTRAINT TRIGGER warns AFTER INSERT ON warns_at_commit DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION warn();"
    "CREATE CONSTRAINT TRIGGER refuses AFTER INSERT ON refused_at_commit DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION refuse();";

static int set_up_group(void **state) {
    int outcome = things_set_up_group(state);
    database_run(things_database.url, schema);
    return outcome;
}

static void terminate(int32_t backend) {
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)::int", backend);
    assert_int_equal(database_ask(things_database.url, sql), 1);
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM pg_stat_activity WHERE pid = %d", backend);
    database_await(things_database.url, sql, 0);
}

struct canceller {
    struct db_cancellation *cancellation;
    pthread_t thread;
};

static void *cancel_once_it_sleeps(void *argument) {
    struct canceller *canceller = argument;
    char sql[256];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM pg_stat_activity WHERE datname = '%s' AND wait_event = 'PgSleep'",
             things_database.name);
    database_await(things_database.url, sql, 1);
    db_cancel(canceller->cancellation);
    return NULL;
}

static void a_cancel_from_another_thread_ends_the_statement(void **state) {
    (void)state;
    struct db_pool_options pool_options = {.connection = {.url = things_database.url}, .size = 1};
    struct db_pool *pool;
    struct db_connection *leased;
    assert_int_equal(db_pool_new(&pool_options, &pool), STATUS_OK);
    assert_int_equal(db_pool_lease(pool, deadline_in_ms(5000), NULL, &leased), STATUS_OK);
    for (int i = 0; i < 3; i++) {
        struct db_cancellation cancellation = {0};
        struct db_begin_options options = things_options_in_ms(20000);
        struct db_transaction *transaction;
        options.cancellation = &cancellation;
        assert_int_equal(db_begin(leased, &options, &transaction), STATUS_OK);
        struct canceller canceller = {.cancellation = &cancellation};
        pthread_create(&canceller.thread, NULL, cancel_once_it_sleeps, &canceller);
        assert_int_equal(db_query(transaction, &sleep_long, NULL, NULL), STATUS_CANCELLED);
        pthread_join(canceller.thread, NULL);
        db_rollback(transaction);
        assert_false(db_connection_is_broken(leased));

        // The next call on the same connection is not hit.
        options.cancellation = NULL;
        assert_int_equal(db_begin(leased, &options, &transaction), STATUS_OK);
        assert_int_equal(db_query(transaction, &things_select_one, NULL, NULL), STATUS_OK);
        assert_int_equal(db_commit(transaction), STATUS_OK);
    }
    db_pool_return(pool, leased);
    db_pool_free(pool);
}

static void a_cancelled_call_sends_and_commits_nothing_more(void **state) {
    (void)state;
    struct db_cancellation cancellation = {0};
    struct db_begin_options options = things_options_in_ms(20000);
    options.cancellation = &cancellation;
    struct db_transaction *transaction = things_begin_with(&options);
    assert_int_equal(things_insert_one(transaction, 1, 1), STATUS_OK);
    assert_true(db_cancel(&cancellation));
    assert_int_equal(db_commit(transaction), STATUS_CANCELLED);
    assert_int_equal(things_count_committed(), 0);
    assert_false(db_connection_is_broken(things_connection));
    assert_int_equal(db_begin(things_connection, &options, &transaction), STATUS_CANCELLED);
}

static void a_cancel_tells_when_a_commit_was_sent_before_it(void **state) {
    (void)state;
    struct db_begin_options options = things_options_in_ms(20000);
    struct db_cancellation written = {0}, read = {0};
    options.cancellation = &written;
    struct db_transaction *transaction = things_begin_with(&options);
    assert_int_equal(things_insert_one(transaction, 1, 1), STATUS_OK);
    assert_int_equal(db_commit(transaction), STATUS_OK);
    assert_false(db_cancel(&written));

    options.cancellation = &read;
    options.access = DB_READ_ONLY;
    transaction = things_begin_with(&options);
    assert_int_equal(db_query(transaction, &things_select_one, NULL, NULL), STATUS_OK);
    assert_int_equal(db_commit(transaction), STATUS_OK);
    assert_true(db_cancel(&read));
}

static void a_storm_of_cancels_hits_no_other_statement(void **state) {
    (void)state;
    static const struct db_statement work = {"test_work", "SELECT count(*) FROM generate_series(1, 20000)"};
    struct db_pool_options pool_options = {.connection = {.url = things_database.url}, .size = 1};
    struct db_pool *pool;
    struct db_connection *leased;
    assert_int_equal(db_pool_new(&pool_options, &pool), STATUS_OK);
    assert_int_equal(db_pool_lease(pool, deadline_in_ms(5000), NULL, &leased), STATUS_OK);
    for (int i = 0; i < 200; i++) {
        struct db_cancellation cancellation = {0};
        struct db_begin_options options = things_options_in_ms(20000);
        struct db_transaction *transaction;
        options.cancellation = &cancellation;
        assert_int_equal(db_begin(leased, &options, &transaction), STATUS_OK);
        assert_int_equal(db_query(transaction, &things_select_one, NULL, NULL), STATUS_OK);
        db_cancel(&cancellation); // on its way while the connection is idle
        poll(NULL, 0, i % 3);     // in the queue, being sent, or sent when the transaction ends
        db_rollback(transaction);

        options.cancellation = NULL;
        assert_int_equal(db_begin(leased, &options, &transaction), STATUS_OK);
        assert_int_equal(db_query(transaction, &work, NULL, NULL), STATUS_OK);
        assert_int_equal(db_commit(transaction), STATUS_OK);
    }
    db_pool_return(pool, leased);
    db_pool_free(pool);
}

static void a_backend_that_is_killed_between_statements_changed_nothing(void **state) {
    (void)state;
    struct db_transaction *transaction = things_begin();
    int32_t backend = get_backend(transaction);
    assert_int_equal(things_insert_one(transaction, 1, 1), STATUS_OK);
    terminate(backend);
    assert_int_equal(things_insert_one(transaction, 2, 1), STATUS_UNAVAILABLE);
    db_rollback(transaction);
    assert_true(db_connection_is_broken(things_connection));
    assert_int_equal(things_count_committed(), 0);
}

static void *terminate_sleeper(void *unused) {
    char sql[256];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM pg_stat_activity WHERE datname = '%s' AND wait_event = 'PgSleep'",
             things_database.name);
    database_await(things_database.url, sql, 1);
    // In this database alone: other programs' tests sleep on the same server.
    snprintf(sql, sizeof(sql),
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
             " WHERE datname = '%s' AND wait_event = 'PgSleep'",
             things_database.name);
    database_run(things_database.url, sql);
    return unused;
}

static void a_backend_that_is_killed_in_commit_leaves_the_outcome_unknown(void **state) {
    (void)state;
    pthread_t killer;
    struct db_transaction *transaction = things_begin();
    assert_int_equal(db_query(transaction, &slow_commit, NULL, NULL), STATUS_OK);
    pthread_create(&killer, NULL, terminate_sleeper, NULL);
    assert_int_equal(db_commit(transaction), STATUS_OUTCOME_UNKNOWN);
    pthread_join(killer, NULL);
    assert_true(db_connection_is_broken(things_connection));
}

static void a_deadline_in_commit_leaves_the_outcome_unknown_and_cancels_nothing(void **state) {
    (void)state;
    struct db_begin_options options = things_options_in_ms(500);
    struct db_transaction *transaction = things_begin_with(&options);
    assert_int_equal(db_query(transaction, &slow_commit, NULL, NULL), STATUS_OK);
    assert_int_equal(db_commit(transaction), STATUS_OUTCOME_UNKNOWN);
    assert_true(db_connection_is_broken(things_connection));
    // The server was left to finish.
    database_await(things_database.url, "SELECT count(*) FROM slow_to_commit", 1);
}

static void a_warning_in_commit_leaves_the_outcome_unknown(void **state) {
    (void)state;
    struct db_transaction *transaction = things_begin();
    assert_int_equal(db_query(transaction, &warn_at_commit, NULL, NULL), STATUS_OK);
    assert_int_equal(db_commit(transaction), STATUS_OUTCOME_UNKNOWN);
    assert_true(db_connection_is_broken(things_connection));
}

static void a_commit_that_the_server_refuses_is_known_to_have_failed(void **state) {
    (void)state;
    struct db_transaction *transaction = things_begin();
    assert_int_equal(things_insert_one(transaction, 1, 1), STATUS_OK);
    assert_int_equal(db_query(transaction, &refused_commit, NULL, NULL), STATUS_OK);
    assert_int_equal(db_commit(transaction), STATUS_FAILED_PRECONDITION);
    assert_false(db_connection_is_broken(things_connection));
    assert_int_equal(things_count_committed(), 0);

    struct db_begin_options options = things_options_in_ms(20000);
    struct db_command commands[] = {{.statement = &refused_commit}};
    assert_int_equal(db_execute(things_connection, &options, commands, 1), STATUS_FAILED_PRECONDITION);
    assert_false(db_connection_is_broken(things_connection));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        THINGS_CASE(a_cancel_from_another_thread_ends_the_statement),
        THINGS_CASE(a_cancelled_call_sends_and_commits_nothing_more),
        THINGS_CASE(a_cancel_tells_when_a_commit_was_sent_before_it),
        THINGS_CASE(a_storm_of_cancels_hits_no_other_statement),
        THINGS_CASE(a_backend_that_is_killed_between_statements_changed_nothing),
        THINGS_CASE(a_backend_that_is_killed_in_commit_leaves_the_outcome_unknown),
        THINGS_CASE(a_deadline_in_commit_leaves_the_outcome_unknown_and_cancels_nothing),
        THINGS_CASE(a_warning_in_commit_leaves_the_outcome_unknown),
        THINGS_CASE(a_commit_that_the_server_refuses_is_known_to_have_failed),
    };
    return cmocka_run_group_tests(tests, set_up_group, things_tear_down_group);
}
