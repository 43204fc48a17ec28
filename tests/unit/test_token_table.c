// The table against a plain list, with its walker after every step; and readers that never wait while it
// grows, shrinks and forgets under them.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "services/validator/image/quiescence.h"
#include "services/validator/image/token_table.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

// The digest of a key, the same each time.
static struct digest make_digest(uint32_t key) {
    struct digest digest;
    digest_sha256(bytes_of(&key, sizeof(key)), &digest);
    return digest;
}

struct stage {
    struct reclaim reclaim;
    struct slab records;
    struct token_table *table;
};

static const struct fingerprint_key fingerprint_key = {{1, 2}};

static void stage_init(struct stage *stage) {
    *stage = (struct stage){0};
    slab_init(&stage->records, &stage->reclaim, sizeof(struct token_record), 10);
    assert_int_equal(token_table_new(&stage->reclaim, &stage->records, &fingerprint_key, &stage->table),
                     STATUS_OK);
}

static void stage_fini(struct stage *stage) {
    token_table_free(stage->table);
    reclaim_run(&stage->reclaim);
    slab_fini(&stage->records);
    reclaim_fini(&stage->reclaim);
}

static uint32_t new_record(struct stage *stage, uint32_t key, uint32_t version) {
    uint32_t number = slab_allocate(&stage->records);
    assert_int_not_equal(number, SLAB_NONE);
    struct digest digest = make_digest(key);
    *(struct token_record *)slab_get(&stage->records, number) =
        (struct token_record){.fingerprint = fingerprint_of(&fingerprint_key, &digest), .terms = version};
    return number;
}

static void check(const struct token_table *table) {
    const char *broken = token_table_check(table);
    if (broken)
        fail_msg("%s", broken);
}

// ---- one thread ----

enum { KEYS = 300 };

struct list {
    uint32_t numbers[KEYS]; // by key; SLAB_NONE = not there
    size_t count;
};

static void release(struct stage *stage, uint32_t number) {
    if (number != SLAB_NONE)
        slab_release(&stage->records, number);
}

static void put(struct stage *stage, struct list *list, uint32_t key, uint32_t version) {
    uint32_t number = new_record(stage, key, version), replaced;
    assert_int_equal(token_table_put(stage->table, number, &replaced), STATUS_OK);
    assert_int_equal(replaced, list->numbers[key]);
    list->count += replaced == SLAB_NONE;
    release(stage, replaced);
    list->numbers[key] = number;
}

static void take_away(struct stage *stage, struct list *list, uint32_t key) {
    if (list->numbers[key] == SLAB_NONE)
        return;
    token_table_remove(stage->table, list->numbers[key]);
    release(stage, list->numbers[key]);
    list->numbers[key] = SLAB_NONE;
    list->count--;
}

static const struct token_record *get_record(const struct stage *stage, uint32_t number) {
    return number == SLAB_NONE ? NULL : slab_get(&stage->records, number);
}

static bool is_listed(const struct stage *stage, const struct list *list, const struct token_record *record) {
    for (size_t key = 0; key < KEYS; key++)
        if (get_record(stage, list->numbers[key]) == record)
            return true;
    return false;
}

static void compare(const struct stage *stage, const struct list *list, uint32_t key) {
    struct digest digest = make_digest(key);
    struct fingerprint fingerprint = fingerprint_of(&fingerprint_key, &digest);
    assert_int_equal(token_table_find_number(stage->table, &fingerprint), list->numbers[key]);
}

// The record that is there, and nobody else; or any other one, as long as there is one.
static void compare_decoy(const struct stage *stage, const struct list *list, uint32_t key) {
    struct digest digest = make_digest(key);
    bool is_found;
    const struct token_record *record = token_table_find_or_decoy(stage->table, &digest, &is_found);
    assert_int_equal(is_found, list->numbers[key] != SLAB_NONE);
    assert_int_equal(record != NULL, list->count > 0);
    if (is_found)
        assert_ptr_equal(record, get_record(stage, list->numbers[key]));
    else if (record)
        assert_true(is_listed(stage, list, record));
}

static void random_puts_and_removals_agree_with_a_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct stage stage;
    struct list list = {0};
    stage_init(&stage);
    for (uint32_t step = 0; step < 6000; step++) {
        uint32_t key = (uint32_t)seed_next_below(&seed, KEYS), other = (uint32_t)seed_next_below(&seed, KEYS);
        // Fills up, empties, and so on.
        bool is_filling = step / 500 % 2 == 0;
        if (seed_next_below(&seed, 4) != 0 ? is_filling : !is_filling)
            put(&stage, &list, key, step);
        else
            take_away(&stage, &list, key);
        check(stage.table);
        compare(&stage, &list, other);
        compare_decoy(&stage, &list, other);
        assert_int_equal(token_table_get_count(stage.table), list.count);
    }
    for (uint32_t key = 0; key < KEYS; key++)
        take_away(&stage, &list, key);
    check(stage.table);
    assert_int_equal(token_table_get_count(stage.table), 0);
    stage_fini(&stage);
}

static void a_decoy_is_found_however_full_or_empty_the_table_is(void **state) {
    (void)state;
    struct stage stage;
    struct list list = {0};
    stage_init(&stage);
    for (uint32_t count = 0; count <= 48; count++) {
        for (uint32_t key = 0; key < KEYS; key++)
            compare_decoy(&stage, &list, key);
        put(&stage, &list, count, 0);
    }
    stage_fini(&stage);
}

// Among other look-ups, and while what it found first is removed or replaced between its steps.
static void a_look_up_in_steps_sees_what_is_there_at_its_end(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct stage stage;
    struct list list = {0};
    stage_init(&stage);
    for (uint32_t round = 0; round < 2000; round++) {
        struct token_probe probes[8];
        uint32_t keys[ARRAY_LENGTH(probes)];
        for (size_t i = 0; i < ARRAY_LENGTH(probes); i++) {
            keys[i] = (uint32_t)seed_next_below(&seed, KEYS);
            struct digest digest = make_digest(keys[i]);
            token_table_begin_probe(stage.table, &digest, &probes[i]);
        }
        put(&stage, &list, (uint32_t)seed_next_below(&seed, KEYS), round);
        take_away(&stage, &list, (uint32_t)seed_next_below(&seed, KEYS));
        for (size_t i = 0; i < ARRAY_LENGTH(probes); i++)
            token_table_advance_probe(stage.table, &probes[i]);
        for (size_t i = 0; i < ARRAY_LENGTH(probes); i++) {
            bool is_found;
            const struct token_record *record = token_table_end_probe(stage.table, &probes[i], &is_found);
            assert_int_equal(is_found, list.numbers[keys[i]] != SLAB_NONE);
            if (is_found)
                assert_ptr_equal(record, get_record(&stage, list.numbers[keys[i]]));
        }
    }
    stage_fini(&stage);
}

static void a_table_of_constant_size_does_not_grow(void **state) {
    (void)state;
    struct stage stage;
    size_t largest_bytes = 0;
    uint32_t replaced, numbers[20];
    stage_init(&stage);
    for (uint32_t key = 0; key < 5000; key++) {
        uint32_t *number = &numbers[key % ARRAY_LENGTH(numbers)];
        if (key >= ARRAY_LENGTH(numbers)) {
            token_table_remove(stage.table, *number);
            release(&stage, *number);
        }
        *number = new_record(&stage, key, 0);
        assert_int_equal(token_table_put(stage.table, *number, &replaced), STATUS_OK);
        reclaim_run(&stage.reclaim);
        size_t size_bytes = token_table_get_size_bytes(stage.table);
        largest_bytes = size_bytes > largest_bytes ? size_bytes : largest_bytes;
    }
    check(stage.table);
    assert_in_range(largest_bytes, 1, 1024);
    stage_fini(&stage);
}

enum { MANY = 100000 };

// It is one partition, then many, then one again.
static void a_table_that_grows_and_shrinks_stays_dense(void **state) {
    (void)state;
    struct stage stage;
    uint32_t replaced, *numbers = calloc(MANY, sizeof(*numbers));
    assert_non_null(numbers);
    stage_init(&stage);
    for (uint32_t key = 0; key < MANY; key++) {
        numbers[key] = new_record(&stage, key, key);
        assert_int_equal(token_table_put(stage.table, numbers[key], &replaced), STATUS_OK);
        assert_int_equal(replaced, SLAB_NONE);
    }
    check(stage.table);
    assert_in_range(token_table_get_size_bytes(stage.table) / MANY, 1, 9);
    for (uint32_t key = 100; key < MANY; key++) {
        token_table_remove(stage.table, numbers[key]);
        if (key % 20000 == 0)
            check(stage.table);
    }
    check(stage.table);
    assert_in_range(token_table_get_size_bytes(stage.table), 1, 4096);
    for (uint32_t key = 0; key < 1000; key++) {
        struct digest digest = make_digest(key);
        bool is_found;
        const struct token_record *record = token_table_find_or_decoy(stage.table, &digest, &is_found);
        assert_true(key < 100 ? is_found && record->terms == key : !is_found);
    }
    free(numbers);
    stage_fini(&stage);
}

static void put_fresh(struct stage *stage, uint32_t from, uint32_t to) {
    for (uint32_t key = from; key < to; key++) {
        uint32_t replaced;
        assert_int_equal(token_table_put(stage->table, new_record(stage, key, key), &replaced), STATUS_OK);
        assert_int_equal(replaced, SLAB_NONE);
    }
}

static void check_all_found(const struct stage *stage, uint32_t count) {
    check(stage->table);
    assert_int_equal(token_table_get_count(stage->table), count);
    for (uint32_t key = 0; key < count; key += 97) {
        struct digest digest = make_digest(key);
        bool is_found;
        const struct token_record *record = token_table_find_or_decoy(stage->table, &digest, &is_found);
        assert_true(is_found && record->terms == key);
    }
}

static void room_that_is_made_for_all_is_hardly_grown(void **state) {
    (void)state;
    struct stage stage;
    stage_init(&stage);
    token_table_reserve(stage.table, MANY);
    size_t reserved = token_table_get_size_bytes(stage.table);
    put_fresh(&stage, 0, MANY);
    assert_in_range(token_table_get_size_bytes(stage.table), reserved, reserved + reserved / 5);
    token_table_trim(stage.table);
    assert_in_range(token_table_get_size_bytes(stage.table) / MANY, 1, 10);
    check_all_found(&stage, MANY);
    stage_fini(&stage);
}

static void room_that_nothing_came_for_is_given_back(void **state) {
    (void)state;
    struct stage stage;
    stage_init(&stage);
    token_table_reserve(stage.table, 10 * MANY);
    put_fresh(&stage, 0, MANY);
    token_table_trim(stage.table);
    assert_in_range(token_table_get_size_bytes(stage.table) / MANY, 1, 9);
    check_all_found(&stage, MANY);
    stage_fini(&stage);

    stage_init(&stage);
    token_table_reserve(stage.table, MANY);
    put_fresh(&stage, 0, 100);
    token_table_trim(stage.table);
    assert_in_range(token_table_get_size_bytes(stage.table), 1, 4096);
    check_all_found(&stage, 100);
    token_table_reserve(stage.table, MANY); // it is not empty
    assert_in_range(token_table_get_size_bytes(stage.table), 1, 4096);
    stage_fini(&stage);
}

static void without_memory_for_room_it_grows_as_it_must(void **state) {
    (void)state;
    static const size_t failing[] = {1, 2, 1000, 5000};
    for (size_t i = 0; i < ARRAY_LENGTH(failing); i++) {
        struct stage stage;
        stage_init(&stage);
        allocation_failure_begin_from(failing[i]);
        token_table_reserve(stage.table, MANY);
        (void)allocation_failure_end();
        put_fresh(&stage, 0, 5000);
        allocation_failure_begin_from(failing[i]);
        token_table_trim(stage.table);
        (void)allocation_failure_end();
        check_all_found(&stage, 5000);
        stage_fini(&stage);
    }
}

static bool fill_a_table(void *context) {
    const struct slab *records = context;
    struct reclaim reclaim = {0};
    struct token_table *table;
    if (token_table_new(&reclaim, records, &fingerprint_key, &table) != STATUS_OK)
        return false;
    enum status status = STATUS_OK;
    uint32_t number = SLAB_NONE, replaced;
    size_t put_count = 0;
    while (status == STATUS_OK && slab_next(records, &number)) {
        status = token_table_put(table, number, &replaced);
        put_count += status == STATUS_OK;
    }
    bool is_whole = token_table_check(table) == NULL && token_table_get_count(table) == put_count;
    token_table_free(table);
    reclaim_fini(&reclaim);
    return is_whole && status == STATUS_OK;
}

static void a_failing_allocation_leaves_the_table_as_it_was(void **state) {
    (void)state;
    struct stage stage;
    stage_init(&stage);
    for (uint32_t key = 0; key < 200; key++)
        (void)new_record(&stage, key, 0);
    // why not allocation_failure_try_each(): the list of what is to be reclaimed does without memory.
    for (size_t k = 1, count = k; count >= k; k++) {
        allocation_failure_begin(k);
        bool succeeded = fill_a_table(&stage.records);
        count = allocation_failure_end();
        assert_true(count >= k || succeeded);
    }
    stage_fini(&stage);
}

// ---- readers beside the writer ----

enum { READERS = 3, FIXED = 200, PASSING = 4000, ROUNDS = 6, LARGE = 65536 };

struct readers {
    struct token_table *table;
    struct fingerprint *fingerprints; // FIXED that are always there, then PASSING that come and go
    struct digest *digests;           // of the same
    _Atomic bool is_over;
};

static size_t read_some(const struct readers *readers, size_t turn) {
    size_t failures = 0;
    for (size_t i = 0; i < 64; i++) {
        size_t fixed = (turn * 64 + i) % FIXED, passing = FIXED + (turn * 61 + i * 67) % PASSING;
        bool is_found;
        const struct token_record *record =
            token_table_find_or_decoy(readers->table, &readers->digests[fixed], &is_found);
        failures += !is_found || !fingerprint_is_equal(&record->fingerprint, &readers->fingerprints[fixed]);
        record = token_table_find_or_decoy(readers->table, &readers->digests[passing], &is_found);
        failures += is_found && !fingerprint_is_equal(&record->fingerprint, &readers->fingerprints[passing]);
        failures += !record;
    }
    return failures;
}

static void *read_along(void *context) {
    struct readers *readers = context;
    size_t failures = 0;
    quiescence_enter_thread();
    for (size_t turn = 0; !atomic_load(&readers->is_over); turn++) {
        quiescence_go_online();
        failures += read_some(readers, turn);
        quiescence_go_offline();
    }
    quiescence_leave_thread();
    return (void *)failures;
}

static void release_record(void *owner, void *number) {
    struct stage *stage = owner;
    release(stage, (uint32_t)(uintptr_t)number);
}

static void retire(struct stage *stage, uint32_t number) {
    reclaim_add(&stage->reclaim, release_record, stage, (void *)(uintptr_t)number);
}

static void put_anew(struct stage *stage, uint32_t key, uint32_t version) {
    uint32_t replaced;
    assert_int_equal(token_table_put(stage->table, new_record(stage, key, version), &replaced), STATUS_OK);
    retire(stage, replaced);
}

static void remove_passing(struct stage *stage, const struct fingerprint *fingerprint) {
    uint32_t number = token_table_find_number(stage->table, fingerprint);
    if (number == SLAB_NONE)
        return;
    token_table_remove(stage->table, number);
    retire(stage, number);
}

static void write_along(struct stage *stage, const struct readers *readers, struct seed *seed) {
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        for (uint32_t i = 0; i < PASSING; i++) {
            put_anew(stage, FIXED + (uint32_t)seed_next_below(seed, PASSING), round);
            if (i % 16 == 0)
                put_anew(stage, (uint32_t)seed_next_below(seed, FIXED), round);
            if (i % 256 == 0)
                reclaim_run(&stage->reclaim);
        }
        check(stage->table);
        for (uint32_t i = 0; i < PASSING; i++) {
            remove_passing(stage, &readers->fingerprints[FIXED + seed_next_below(seed, PASSING)]);
            if (i % 256 == 0)
                reclaim_run(&stage->reclaim);
        }
        check(stage->table);
    }
}

static void make_readers(struct readers *readers, struct stage *stage) {
    *readers = (struct readers){.table = stage->table,
                                .fingerprints = calloc(FIXED + PASSING, sizeof(*readers->fingerprints)),
                                .digests = calloc(FIXED + PASSING, sizeof(*readers->digests))};
    assert_true(readers->digests && readers->fingerprints);
    for (uint32_t key = 0; key < FIXED + PASSING; key++) {
        readers->digests[key] = make_digest(key);
        readers->fingerprints[key] = fingerprint_of(&fingerprint_key, &readers->digests[key]);
    }
}

// `others`: so many beside those that are looked up. The table's partitions come and go around their number.
static void read_and_write(uint32_t others) {
    struct seed seed = seed_new();
    struct stage stage;
    struct readers readers;
    stage_init(&stage);
    make_readers(&readers, &stage);
    for (uint32_t key = 0; key < FIXED; key++)
        put_anew(&stage, key, 0);
    for (uint32_t key = 0; key < others; key++)
        put_anew(&stage, FIXED + PASSING + key, 0);

    pthread_t threads[READERS];
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_along, &readers), 0);
    write_along(&stage, &readers, &seed);
    atomic_store(&readers.is_over, true);
    for (size_t i = 0; i < READERS; i++) {
        void *failures;
        assert_int_equal(pthread_join(threads[i], &failures), 0);
        assert_null(failures);
    }
    free(readers.digests);
    free(readers.fingerprints);
    stage_fini(&stage);
}

static void readers_find_what_is_there_while_the_table_changes(void **state) {
    (void)state;
    read_and_write(0);
}

static void readers_find_what_is_there_while_the_table_becomes_large(void **state) {
    (void)state;
    read_and_write(LARGE - FIXED - PASSING / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_constant_size_does_not_grow),
        cmocka_unit_test(a_table_that_grows_and_shrinks_stays_dense),
        cmocka_unit_test(room_that_is_made_for_all_is_hardly_grown),
        cmocka_unit_test(room_that_nothing_came_for_is_given_back),
        cmocka_unit_test(without_memory_for_room_it_grows_as_it_must),
        cmocka_unit_test(a_look_up_in_steps_sees_what_is_there_at_its_end),
        cmocka_unit_test(a_failing_allocation_leaves_the_table_as_it_was),
        cmocka_unit_test(a_decoy_is_found_however_full_or_empty_the_table_is),
        cmocka_unit_test(random_puts_and_removals_agree_with_a_list),
        cmocka_unit_test(readers_find_what_is_there_while_the_table_changes),
        cmocka_unit_test(readers_find_what_is_there_while_the_table_becomes_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
