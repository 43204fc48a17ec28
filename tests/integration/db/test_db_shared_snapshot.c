// What transactions see that share a snapshot, and how one is told that does not.
#include "common/db/shared_snapshot.h"
#include "tests/integration/db/things.h"
#include "tests/unit/unit.h"

static struct arena other_arena;
static struct db_connection *other;

static void open_other(const char *url) {
    arena_init(&other_arena, 0);
    other = database_open(url);
}

static void close_other(void) {
    db_connection_close(other);
    arena_fini(&other_arena);
}

static struct db_transaction *begin(void) {
    struct db_begin_options options = things_options_in_ms(20000);
    options.access = DB_READ_ONLY;
    options.isolation = DB_REPEATABLE_READ;
    return things_begin_with(&options);
}

static struct db_transaction *join(const struct db_shared_snapshot *snapshot) {
    const struct db_begin_options options = {.arena = &other_arena,
                                             .deadline_ns = deadline_in_ms(20000),
                                             .access = DB_READ_ONLY,
                                             .isolation = DB_REPEATABLE_READ,
                                             .snapshot = snapshot};
    struct db_transaction *transaction;
    assert_int_equal(db_begin(other, &options, &transaction), STATUS_OK);
    return transaction;
}

static int64_t count(struct db_transaction *transaction) {
    const struct db_result *result;
    assert_int_equal(db_query(transaction, &things_count, NULL, &result), STATUS_OK);
    return db_result_get_int64(result, 0, 0);
}

static void one_that_joins_sees_what_the_first_saw(void **state) {
    (void)state;
    struct db_shared_snapshot snapshot;
    struct db_transaction *first = begin();
    assert_int_equal(db_share_snapshot(first, &snapshot), STATUS_OK);
    database_run(things_database.url, "INSERT INTO thing VALUES (1, 1)");
    open_other(things_database.url);
    struct db_transaction *joined = join(&snapshot);
    assert_true(db_sees_snapshot(joined, &snapshot));
    assert_int_equal(count(joined), 0);
    assert_int_equal(count(first), 0);
    db_rollback(joined);
    db_rollback(first);

    struct db_transaction *later = join(NULL);
    assert_false(db_sees_snapshot(later, &snapshot));
    assert_int_equal(count(later), 1);
    db_rollback(later);
    close_other();
}

// Twice on one connection: nothing of the first is kept.
static void it_goes_by_another_name_each_time(void **state) {
    (void)state;
    struct db_shared_snapshot snapshots[2];
    open_other(things_database.url);
    for (int i = 0; i < 2; i++) {
        struct db_transaction *first = begin();
        assert_int_equal(db_share_snapshot(first, &snapshots[i]), STATUS_OK);
        struct db_transaction *joined = join(&snapshots[i]);
        assert_true(db_sees_snapshot(joined, &snapshots[i]));
        assert_int_equal(count(joined), i);
        db_rollback(joined);
        db_rollback(first);
        database_run(things_database.url, "INSERT INTO thing SELECT count(*), 1 FROM thing");
    }
    assert_string_not_equal(snapshots[0].name, snapshots[1].name);
    close_other();
}

static void one_that_has_ended_can_not_be_joined(void **state) {
    (void)state;
    struct db_shared_snapshot snapshot;
    struct db_transaction *first = begin();
    assert_int_equal(db_share_snapshot(first, &snapshot), STATUS_OK);
    db_rollback(first);
    open_other(things_database.url);
    struct db_transaction *joined = join(&snapshot);
    assert_false(db_sees_snapshot(joined, &snapshot));
    db_rollback(joined);
    assert_false(db_connection_is_broken(other));
    close_other();
}

static void one_of_another_database_can_not_be_joined(void **state) {
    (void)state;
    struct db_shared_snapshot snapshot;
    struct database elsewhere = database_new();
    struct db_transaction *first = begin();
    assert_int_equal(db_share_snapshot(first, &snapshot), STATUS_OK);
    open_other(elsewhere.url);
    struct db_transaction *joined = join(&snapshot);
    assert_false(db_sees_snapshot(joined, &snapshot));
    db_rollback(joined);
    db_rollback(first);
    close_other();
    database_drop(&elsewhere);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        THINGS_CASE(one_that_joins_sees_what_the_first_saw),
        THINGS_CASE(it_goes_by_another_name_each_time),
        THINGS_CASE(one_that_has_ended_can_not_be_joined),
        THINGS_CASE(one_of_another_database_can_not_be_joined),
    };
    return cmocka_run_group_tests(tests, things_set_up_group, things_tear_down_group);
}
