// Migrations by one process and by several at once, and every way in which a database can differ from this
// binary.
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/db/migrate.h"
#include "tests/integration/db/database.h"
#include "tests/unit/unit.h"

#define PROCESSES 4

static struct database database;
static struct db_connection *connection;
static struct db_migrate_report report;

static const struct schema_file files[] = {
    {"0001_things.sql", "CREATE TABLE thing (id int8); INSERT INTO thing VALUES (1);", 0},
    {"0002_parts.sql", "CREATE TABLE part (id int8); SELECT pg_sleep(0.1);", 0},
    {"0003_more.sql", "INSERT INTO thing VALUES (3);", 0},
};
static const struct db_migrations all = {files, 3}, first_two = {files, 2}, first_one = {files, 1};

static int set_up(void **state) {
    (void)state;
    database = database_new();
    connection = database_open(database.url);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    db_connection_close(connection);
    database_drop(&database);
    return 0;
}

static enum status migrate(struct db_migrations migrations) {
    return db_migrate(connection, migrations, deadline_in_ms(60000), NULL, &report);
}

static enum status check(struct db_migrations migrations) {
    return db_schema_check(connection, migrations, deadline_in_ms(60000), &report);
}

static void expect_sentence(const char *words) {
    if (!strstr(report.sentence, words))
        fail_msg("\"%s\" does not say \"%s\"", report.sentence, words);
}

static void an_empty_database_gets_every_file_once(void **state) {
    (void)state;
    assert_int_equal(migrate(all), STATUS_OK);
    assert_int_equal(report.applied, 3);
    assert_int_equal(report.number, 3);
    assert_int_equal(migrate(all), STATUS_OK);
    assert_int_equal(report.applied, 0);
    assert_int_equal(database_ask(database.url, "SELECT count(*) FROM thing"), 2);
    assert_int_equal(check(all), STATUS_OK);
    assert_string_equal(report.sentence, "");
}

static void a_database_without_a_schema_is_told_to_migrate(void **state) {
    (void)state;
    assert_int_equal(check(all), STATUS_FAILED_PRECONDITION);
    expect_sentence("run `latchkey migrate`");
    assert_false(db_connection_is_broken(connection));
}

static void an_older_schema_is_told_to_migrate(void **state) {
    (void)state;
    assert_int_equal(migrate(first_two), STATUS_OK);
    assert_int_equal(check(all), STATUS_FAILED_PRECONDITION);
    expect_sentence("schema 0002");
    expect_sentence("run `latchkey migrate`");
    assert_int_equal(migrate(all), STATUS_OK);
    assert_int_equal(report.applied, 1);
}

static void a_program_works_on_a_newer_schema_that_does_not_break_it(void **state) {
    (void)state;
    assert_int_equal(migrate(all), STATUS_OK);
    assert_int_equal(check(first_two), STATUS_OK);
    assert_true(report.is_newer);
    assert_int_equal(report.number, 3);
    assert_int_equal(migrate(first_two), STATUS_OK);
    assert_int_equal(report.applied, 0);
    assert_int_equal(check(all), STATUS_OK);
    assert_false(report.is_newer);
}

static void a_newer_schema_that_breaks_a_program_is_left_alone(void **state) {
    (void)state;
    struct schema_file breaking[3];
    memcpy(breaking, files, sizeof(files));
    breaking[2].breaks_before = 2;
    assert_int_equal(migrate((struct db_migrations){breaking, 3}), STATUS_OK);
    assert_int_equal(check(first_two), STATUS_OK);
    assert_int_equal(check(first_one), STATUS_FAILED_PRECONDITION);
    expect_sentence("newer latchkey (0003_more.sql)");
    assert_int_equal(migrate(first_one), STATUS_FAILED_PRECONDITION);
    expect_sentence("newer latchkey (0003_more.sql)");
}

// As it was before programs were told whether they work: nobody knows what its next one would have said.
static void a_record_without_the_column_gets_it_and_its_newer_rows_are_refused(void **state) {
    (void)state;
    assert_int_equal(migrate(first_two), STATUS_OK);
    database_run(database.url, "ALTER TABLE latchkey.migration DROP COLUMN breaks_before");
    assert_int_equal(check(first_two), STATUS_OK);
    assert_int_equal(check(first_one), STATUS_FAILED_PRECONDITION);
    expect_sentence("newer latchkey (0002_parts.sql)");
    assert_int_equal(migrate(all), STATUS_OK);
    assert_int_equal(check(first_two), STATUS_OK);
}

static void a_file_that_was_edited_after_landing_is_noticed(void **state) {
    (void)state;
    struct schema_file edited[3];
    memcpy(edited, files, sizeof(files));
    edited[1].text = "CREATE TABLE part (id int4);";
    assert_int_equal(migrate(first_two), STATUS_OK);
    assert_int_equal(migrate((struct db_migrations){edited, 3}), STATUS_FAILED_PRECONDITION);
    expect_sentence("0002_parts.sql was edited");
    assert_int_equal(database_ask(database.url, "SELECT count(*) FROM thing"), 1); // 0003 was not applied
}

static void a_file_that_fails_is_undone_and_named(void **state) {
    (void)state;
    const struct schema_file broken[] = {
        files[0], {"0002_broken.sql", "CREATE TABLE half (id int8); SELECT * FROM nowhere;", 0}, files[2]};
    assert_int_equal(migrate((struct db_migrations){broken, 3}), STATUS_FAILED_PRECONDITION);
    expect_sentence("0002_broken.sql failed and was undone: relation \"nowhere\" does not exist");
    assert_int_equal(report.applied, 1);
    assert_int_equal(database_ask(database.url, "SELECT count(to_regclass('half'))"), 0);
    assert_int_equal(database_ask(database.url, "SELECT max(number) FROM latchkey.migration"), 1);
    assert_int_equal(migrate(all), STATUS_OK); // mended
}

static void expect_failing_file(const char *text, enum status expected, const char *words) {
    const struct schema_file failing[] = {{"0001_failing.sql", text, 0}};
    assert_int_equal(migrate((struct db_migrations){failing, 1}), expected);
    expect_sentence("0001_failing.sql failed and was undone: ");
    expect_sentence(words);
    assert_int_equal(migrate(first_one), STATUS_OK);
    database_run(database.url, "DROP TABLE thing; DELETE FROM latchkey.migration");
}

static void a_file_that_fails_for_what_passes_is_told_from_one_that_is_wrong(void **state) {
    (void)state;
    expect_failing_file("SELECT 1 / 0;", STATUS_FAILED_PRECONDITION, "division by zero");
    expect_failing_file("SET LOCAL statement_timeout = 1; SELECT pg_sleep(600);", STATUS_UNAVAILABLE,
                        "statement timeout");
    expect_failing_file("DO $$ BEGIN RAISE deadlock_detected; END $$;", STATUS_UNAVAILABLE,
                        "deadlock_detected");
    expect_failing_file("DO $$ BEGIN RAISE unique_violation; END $$;", STATUS_FAILED_PRECONDITION,
                        "unique_violation");
}

static void a_lock_that_somebody_keeps_is_no_fault_of_the_schema(void **state) {
    (void)state;
    const struct schema_file waiting[] = {
        files[0],
        {"0002_waiting.sql", "SET LOCAL lock_timeout = 1; ALTER TABLE thing ADD COLUMN name text;", 0}};
    assert_int_equal(migrate(first_one), STATUS_OK);
    struct db_connection *other = database_open(database.url);
    struct db_transaction *transaction;
    struct arena arena;
    arena_init(&arena, 0);
    const struct db_begin_options options = {.arena = &arena, .deadline_ns = deadline_in_ms(60000)};
    assert_int_equal(db_begin(other, &options, &transaction), STATUS_OK);
    assert_int_equal(
        db_query(transaction, &(struct db_statement){"test_look", "SELECT FROM thing"}, NULL, NULL),
        STATUS_OK);
    assert_int_equal(migrate((struct db_migrations){waiting, 2}), STATUS_UNAVAILABLE);
    expect_sentence("0002_waiting.sql failed and was undone: canceling statement due to lock timeout");
    db_rollback(transaction);
    assert_int_equal(migrate((struct db_migrations){waiting, 2}), STATUS_OK);
    arena_fini(&arena);
    db_connection_close(other);
}

// The child's exit code: how many it applied, or 100.
static int migrate_in_child(void) {
    struct db_connection *own = database_open(database.url);
    enum status status = db_migrate(own, all, deadline_in_ms(60000), NULL, &report);
    db_connection_close(own);
    return status == STATUS_OK ? (int)report.applied : 100;
}

static void several_processes_at_once_apply_each_file_once(void **state) {
    (void)state;
    pid_t children[PROCESSES];
    int applied = 0;
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(migrate_in_child());
    }
    for (int i = 0; i < PROCESSES; i++) {
        int exit_status;
        assert_int_equal(waitpid(children[i], &exit_status, 0), children[i]);
        assert_true(WIFEXITED(exit_status) && WEXITSTATUS(exit_status) != 100);
        applied += WEXITSTATUS(exit_status);
    }
    assert_int_equal(applied, 3);
    assert_int_equal(database_ask(database.url, "SELECT count(*) FROM latchkey.migration"), 3);
    assert_int_equal(database_ask(database.url, "SELECT count(*) FROM thing"), 2);
}

static unsigned named;

static void count_name(const char *name) {
    named += strncmp(name, "00", 2) == 0;
}

static void the_schema_of_this_binary_migrates(void **state) {
    (void)state;
    struct db_migrations embedded = db_migrations_get_embedded();
    enum status status = db_migrate(connection, embedded, deadline_in_ms(120000), count_name, &report);
    if (status != STATUS_OK)
        fail_msg("%s", report.sentence);
    assert_int_equal(report.applied, embedded.count);
    assert_int_equal(named, embedded.count);
    assert_int_equal(check(embedded), STATUS_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_empty_database_gets_every_file_once),
        CASE(a_database_without_a_schema_is_told_to_migrate),
        CASE(an_older_schema_is_told_to_migrate),
        CASE(a_program_works_on_a_newer_schema_that_does_not_break_it),
        CASE(a_newer_schema_that_breaks_a_program_is_left_alone),
        CASE(a_record_without_the_column_gets_it_and_its_newer_rows_are_refused),
        CASE(a_file_that_was_edited_after_landing_is_noticed),
        CASE(a_file_that_fails_is_undone_and_named),
        CASE(a_file_that_fails_for_what_passes_is_told_from_one_that_is_wrong),
        CASE(a_lock_that_somebody_keeps_is_no_fault_of_the_schema),
        CASE(several_processes_at_once_apply_each_file_once),
        CASE(the_schema_of_this_binary_migrates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
