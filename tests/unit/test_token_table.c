// The table against a plain list, with its walker after every step; and readers that never wait while it
// grows, shrinks and forgets under them.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "services/validator/quiescence.h"
#include "services/validator/token_table.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

// The digest of a key, the same each time.
static struct digest make_digest(uint32_t key) {
    struct digest digest;
    digest_sha256(bytes_of(&key, sizeof(key)), &digest);
    return digest;
}

static struct token_record *new_record(uint32_t key, uint32_t generation) {
    struct token_record *record = calloc(1, sizeof(*record));
    assert_non_null(record);
    record->digest = make_digest(key);
    record->generation = generation;
    return record;
}

static void check(const struct token_table *table) {
    const char *broken = token_table_check(table);
    if (broken)
        fail_msg("%s", broken);
}

static struct token_table *new_table(struct reclaim *reclaim) {
    struct token_table *table;
    *reclaim = (struct reclaim){0};
    assert_int_equal(token_table_new(reclaim, &table), STATUS_OK);
    return table;
}

// ---- one thread ----

enum { KEYS = 300 };

struct list {
    struct token_record *records[KEYS]; // by key; NULL = not there
    size_t count;
};

static void put(struct token_table *table, struct list *list, uint32_t key, uint32_t generation) {
    struct token_record *record = new_record(key, generation);
    const struct token_record *replaced;
    assert_int_equal(token_table_put(table, record, &replaced), STATUS_OK);
    assert_ptr_equal(replaced, list->records[key]);
    list->count += replaced == NULL;
    free(list->records[key]);
    list->records[key] = record;
}

static void take_away(struct token_table *table, struct list *list, uint32_t key) {
    struct digest digest = make_digest(key);
    assert_ptr_equal(token_table_remove(table, &digest), list->records[key]);
    list->count -= list->records[key] != NULL;
    free(list->records[key]);
    list->records[key] = NULL;
}

static bool is_listed(const struct list *list, const struct token_record *record) {
    for (size_t key = 0; key < KEYS; key++)
        if (list->records[key] == record)
            return true;
    return false;
}

static void compare_walk(const struct token_table *table, const struct list *list) {
    size_t cursor = 0, count = 0;
    for (const struct token_record *record; (record = token_table_next(table, &cursor)); count++) {
        assert_true(is_listed(list, record));
    }
    assert_int_equal(count, list->count);
}

// The record that is there, and nobody else; or any other one, as long as there is one.
static void compare_decoy(const struct token_table *table, const struct list *list, uint32_t key) {
    struct digest digest = make_digest(key);
    bool is_found;
    const struct token_record *record = token_table_find_or_decoy(table, &digest, &is_found);
    assert_int_equal(is_found, list->records[key] != NULL);
    assert_int_equal(record != NULL, list->count > 0);
    if (is_found)
        assert_ptr_equal(record, list->records[key]);
    else if (record)
        assert_true(is_listed(list, record));
}

static void random_puts_and_removals_agree_with_a_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct reclaim reclaim;
    struct token_table *table = new_table(&reclaim);
    struct list list = {0};
    for (uint32_t step = 0; step < 6000; step++) {
        uint32_t key = (uint32_t)seed_next_below(&seed, KEYS), other = (uint32_t)seed_next_below(&seed, KEYS);
        // Fills up, empties, and so on.
        bool is_filling = step / 500 % 2 == 0;
        if (seed_next_below(&seed, 4) != 0 ? is_filling : !is_filling)
            put(table, &list, key, step);
        else
            take_away(table, &list, key);
        check(table);
        struct digest digest = make_digest(other);
        assert_ptr_equal(token_table_find(table, &digest), list.records[other]);
        compare_decoy(table, &list, other);
        assert_int_equal(token_table_get_count(table), list.count);
        if (step % 100 == 0)
            compare_walk(table, &list);
    }
    for (uint32_t key = 0; key < KEYS; key++)
        take_away(table, &list, key);
    check(table);
    assert_int_equal(token_table_get_count(table), 0);
    token_table_free(table);
    reclaim_fini(&reclaim);
}

// A look-up of 64 slots at most, most of them taken, goes on past what it looks at first.
static void a_decoy_is_found_however_full_or_empty_the_table_is(void **state) {
    (void)state;
    struct reclaim reclaim;
    struct token_table *table = new_table(&reclaim);
    struct list list = {0};
    for (uint32_t count = 0; count <= 48; count++) {
        for (uint32_t key = 0; key < KEYS; key++)
            compare_decoy(table, &list, key);
        put(table, &list, count, 0);
    }
    for (uint32_t key = 0; key < KEYS; key++)
        take_away(table, &list, key);
    token_table_free(table);
    reclaim_fini(&reclaim);
}

// Otherwise marks of what was removed would fill it up for good.
static void a_table_of_constant_size_does_not_grow(void **state) {
    (void)state;
    struct reclaim reclaim;
    struct token_table *table = new_table(&reclaim);
    size_t size_bytes = token_table_get_size_bytes(table);
    for (uint32_t key = 0; key < 5000; key++) {
        const struct token_record *replaced;
        assert_int_equal(token_table_put(table, new_record(key, 0), &replaced), STATUS_OK);
        if (key < 20)
            continue;
        struct digest oldest = make_digest(key - 20);
        free((void *)token_table_remove(table, &oldest));
        reclaim_run(&reclaim);
    }
    check(table);
    assert_int_equal(token_table_get_size_bytes(table), size_bytes);
    size_t cursor = 0;
    for (const struct token_record *record; (record = token_table_next(table, &cursor));)
        free((void *)record);
    token_table_free(table);
    reclaim_fini(&reclaim);
}

static void records_may_be_removed_on_a_walk(void **state) {
    (void)state;
    struct reclaim reclaim;
    struct token_table *table = new_table(&reclaim);
    const struct token_record *record;
    for (uint32_t key = 0; key < 500; key++)
        assert_int_equal(token_table_put(table, new_record(key, key % 3), &record), STATUS_OK);
    size_t cursor = 0, seen = 0;
    while ((record = token_table_next(table, &cursor))) {
        seen++;
        if (record->generation == 0)
            free((void *)token_table_remove(table, &record->digest));
    }
    assert_int_equal(seen, 500);
    check(table);
    assert_int_equal(token_table_get_count(table), 333);
    cursor = 0;
    while ((record = token_table_next(table, &cursor))) {
        assert_int_not_equal(record->generation, 0);
        free((void *)record);
    }
    token_table_free(table);
    reclaim_fini(&reclaim);
}

static bool fill_a_table(void *context) {
    struct token_record *records = context;
    struct reclaim reclaim = {0};
    struct token_table *table;
    if (token_table_new(&reclaim, &table) != STATUS_OK)
        return false;
    enum status status = STATUS_OK;
    size_t put_count = 0;
    while (put_count < 100 && status == STATUS_OK) {
        const struct token_record *replaced;
        status = token_table_put(table, &records[put_count], &replaced);
        put_count += status == STATUS_OK;
    }
    bool is_whole = token_table_check(table) == NULL && token_table_get_count(table) == put_count;
    token_table_free(table);
    reclaim_fini(&reclaim);
    return is_whole && status == STATUS_OK;
}

static void a_failing_allocation_leaves_the_table_as_it_was(void **state) {
    (void)state;
    struct token_record *records = calloc(100, sizeof(*records));
    assert_non_null(records);
    for (uint32_t key = 0; key < 100; key++)
        records[key].digest = make_digest(key);
    // why not allocation_failure_try_each(): the list of what is to be reclaimed does without memory.
    for (size_t k = 1, count = k; count >= k; k++) {
        allocation_failure_begin(k);
        bool succeeded = fill_a_table(records);
        count = allocation_failure_end();
        assert_true(count >= k || succeeded);
    }
    free(records);
}

// ---- readers beside the writer ----

enum { READERS = 3, FIXED = 200, PASSING = 4000, ROUNDS = 6 };

struct stage {
    struct token_table *table;
    struct digest *digests; // FIXED that are always there, then PASSING that come and go
    _Atomic bool is_over;
};

static void *read_along(void *context) {
    struct stage *stage = context;
    size_t failures = 0;
    quiescence_enter_thread();
    for (size_t turn = 0; !atomic_load(&stage->is_over); turn++) {
        quiescence_go_online();
        for (size_t i = 0; i < 64; i++) {
            size_t fixed = (turn * 64 + i) % FIXED, passing = FIXED + (turn * 61 + i * 67) % PASSING;
            const struct token_record *record = token_table_find(stage->table, &stage->digests[fixed]);
            failures += !record || !digest_is_equal(&record->digest, &stage->digests[fixed]);
            record = token_table_find(stage->table, &stage->digests[passing]);
            failures += record && !digest_is_equal(&record->digest, &stage->digests[passing]);
        }
        quiescence_go_offline();
    }
    quiescence_leave_thread();
    return (void *)failures;
}

static void release_record(void *owner, void *record) {
    (void)owner;
    free(record);
}

static void put_anew(struct stage *stage, struct reclaim *reclaim, uint32_t key, uint32_t generation) {
    const struct token_record *replaced;
    assert_int_equal(token_table_put(stage->table, new_record(key, generation), &replaced), STATUS_OK);
    reclaim_add(reclaim, release_record, NULL, (void *)replaced);
}

static void write_along(struct stage *stage, struct reclaim *reclaim, struct seed *seed) {
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        for (uint32_t i = 0; i < PASSING; i++) {
            put_anew(stage, reclaim, FIXED + (uint32_t)seed_next_below(seed, PASSING), round);
            if (i % 16 == 0)
                put_anew(stage, reclaim, (uint32_t)seed_next_below(seed, FIXED), round);
            if (i % 256 == 0)
                reclaim_run(reclaim);
        }
        check(stage->table);
        for (uint32_t i = 0; i < PASSING; i++) {
            const struct token_record *removed =
                token_table_remove(stage->table, &stage->digests[FIXED + seed_next_below(seed, PASSING)]);
            reclaim_add(reclaim, release_record, NULL, (void *)removed);
            if (i % 256 == 0)
                reclaim_run(reclaim);
        }
        check(stage->table);
    }
}

static void readers_find_what_is_there_while_the_table_changes(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct reclaim reclaim;
    struct stage stage = {.table = new_table(&reclaim),
                          .digests = calloc(FIXED + PASSING, sizeof(*stage.digests))};
    assert_non_null(stage.digests);
    for (uint32_t key = 0; key < FIXED + PASSING; key++)
        stage.digests[key] = make_digest(key);
    for (uint32_t key = 0; key < FIXED; key++)
        put_anew(&stage, &reclaim, key, 0);

    pthread_t readers[READERS];
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_along, &stage), 0);
    write_along(&stage, &reclaim, &seed);
    atomic_store(&stage.is_over, true);
    for (size_t i = 0; i < READERS; i++) {
        void *failures;
        assert_int_equal(pthread_join(readers[i], &failures), 0);
        assert_null(failures);
    }

    size_t cursor = 0;
    for (const struct token_record *record; (record = token_table_next(stage.table, &cursor));)
        free((void *)record);
    token_table_free(stage.table);
    reclaim_fini(&reclaim);
    free(stage.digests);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_constant_size_does_not_grow),
        cmocka_unit_test(records_may_be_removed_on_a_walk),
        cmocka_unit_test(a_failing_allocation_leaves_the_table_as_it_was),
        cmocka_unit_test(a_decoy_is_found_however_full_or_empty_the_table_is),
        cmocka_unit_test(random_puts_and_removals_agree_with_a_list),
        cmocka_unit_test(readers_find_what_is_there_while_the_table_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
