// Interned objects: one of each content, counted, and gone with the last who holds it. The objects are short
// texts, whose hash a test can make as bad as it likes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/multiply_fold.h"
#include "services/validator/image/intern_table.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { TEXTS = 200 };

static size_t objects; // alive

static char *new_text(unsigned number) {
    char *text = malloc(16);
    if (!text)
        return NULL;
    objects++;
    snprintf(text, 16, "text %u", number);
    return text;
}

static uint64_t hash_text(const void *text, const uint64_t keys[2]) {
    return multiply_fold_bytes(bytes_of_text(text), keys);
}

static uint64_t hash_all_alike(const void *text, const uint64_t keys[2]) {
    (void)text;
    return keys[0];
}

static bool is_equal(const void *a, const void *b) {
    return strcmp(a, b) == 0;
}

static size_t get_size_bytes(const void *text) {
    return strlen(text);
}

static void free_text(void *text) {
    objects--;
    free(text);
}

static const struct intern_kind texts = {hash_text, is_equal, get_size_bytes, free_text};
static const struct intern_kind colliding_texts = {hash_all_alike, is_equal, get_size_bytes, free_text};

static void begin(struct intern_table *table, const struct intern_kind *kind, struct reclaim *reclaim) {
    *reclaim = (struct reclaim){0};
    objects = 0;
    intern_table_init(table, kind, reclaim);
}

static void end(struct intern_table *table, struct reclaim *reclaim) {
    reclaim_fini(reclaim);
    assert_int_equal(table->count, 0);
    assert_int_equal(table->size_bytes, 0);
    assert_int_equal(objects, 0);
    intern_table_fini(table);
}

static struct interned *put(struct intern_table *table, unsigned number) {
    struct interned *interned = NULL;
    assert_int_equal(intern_table_put(table, new_text(number), &interned), STATUS_OK);
    return interned;
}

static void equal_objects_are_one_until_the_last_lets_go(void **state) {
    (void)state;
    struct intern_table table;
    struct reclaim reclaim;
    begin(&table, &texts, &reclaim);
    struct interned *first = put(&table, 1), *second = put(&table, 1), *other = put(&table, 2);
    assert_ptr_equal(first, second);
    assert_ptr_not_equal(first, other);
    assert_int_equal(objects, 2);
    intern_table_release(&table, first);
    assert_string_equal(interned_get_object(second), "text 1");
    intern_table_release(&table, second);
    assert_int_equal(objects, 1);
    intern_table_release(&table, other);
    intern_table_release(&table, NULL);
    assert_null(interned_get_object(NULL));
    end(&table, &reclaim);
}

static void what_is_retired_stays_until_no_reader_can_have_it(void **state) {
    (void)state;
    struct intern_table table;
    struct reclaim reclaim;
    begin(&table, &texts, &reclaim);
    struct interned *interned = put(&table, 1);
    intern_table_retire(&table, interned);
    assert_string_equal(interned->object, "text 1");
    assert_ptr_equal(put(&table, 1), interned); // and whoever comes meanwhile keeps it
    reclaim_run(&reclaim);
    assert_int_equal(objects, 1);
    intern_table_retire(&table, interned);
    reclaim_run(&reclaim);
    assert_int_equal(objects, 0);
    end(&table, &reclaim);
}

// Puts and gives back at random beside a plain count of each.
static void compare_with_plain_counts(const struct intern_kind *kind) {
    struct seed seed = seed_new();
    struct intern_table table;
    struct reclaim reclaim;
    begin(&table, kind, &reclaim);
    struct interned *held[TEXTS] = {NULL};
    size_t references[TEXTS] = {0}, count = 0, bytes = 0;
    for (unsigned step = 0; step < 20000; step++) {
        unsigned number = (unsigned)seed_next_below(&seed, TEXTS);
        bool is_filling = step / 2000 % 2 == 0;
        size_t size_bytes = sizeof(struct interned) + (number < 10 ? 6 : number < 100 ? 7 : 8);
        if (seed_next_below(&seed, 4) ? is_filling : !is_filling) {
            struct interned *interned = put(&table, number);
            assert_true(references[number] == 0 || interned == held[number]);
            held[number] = interned;
            count += references[number] == 0;
            bytes += references[number]++ == 0 ? size_bytes : 0;
        } else if (references[number] > 0) {
            intern_table_release(&table, held[number]);
            count -= --references[number] == 0;
            bytes -= references[number] == 0 ? size_bytes : 0;
        }
        assert_int_equal(table.count, count);
        assert_int_equal(table.size_bytes, bytes);
        assert_int_equal(objects, count);
    }
    for (unsigned i = 0; i < TEXTS; i++)
        while (references[i]-- > 0)
            intern_table_release(&table, held[i]);
    end(&table, &reclaim);
}

static void counts_are_those_of_a_plain_list(void **state) {
    (void)state;
    compare_with_plain_counts(&texts);
}

// All in one bucket with one hash: only their content tells them apart.
static void objects_whose_hashes_collide_are_compared_whole(void **state) {
    (void)state;
    compare_with_plain_counts(&colliding_texts);
}

static bool put_three(void *context) {
    (void)context;
    struct intern_table table;
    struct reclaim reclaim = {0};
    struct interned *held[3] = {NULL};
    bool is_put = true;
    objects = 0;
    intern_table_init(&table, &texts, &reclaim);
    for (unsigned i = 0; i < ARRAY_LENGTH(held); i++)
        is_put = intern_table_put(&table, new_text(i / 2), &held[i]) == STATUS_OK && is_put;
    for (unsigned i = 0; i < ARRAY_LENGTH(held); i++)
        intern_table_release(&table, held[i]);
    bool is_empty = table.count == 0 && table.size_bytes == 0 && objects == 0;
    intern_table_fini(&table);
    return is_put && is_empty;
}

static void a_failing_allocation_leaves_nothing_behind(void **state) {
    (void)state;
    allocation_failure_try_each(put_three, NULL);
}

// Else nothing could be put any more where the memory for more buckets is not to be had.
static void without_memory_to_grow_the_table_goes_on(void **state) {
    (void)state;
    struct intern_table table;
    struct reclaim reclaim;
    begin(&table, &texts, &reclaim);
    struct interned *held[TEXTS];
    for (unsigned i = 0; i < TEXTS; i++) {
        char *text = new_text(i);
        allocation_failure_begin(table.count >= table.capacity && i > 0 ? 1 : 0);
        enum status status = intern_table_put(&table, text, &held[i]);
        allocation_failure_end();
        assert_int_equal(status, STATUS_OK);
    }
    size_t capacity = table.capacity;
    assert_in_range(capacity, 1, TEXTS - 1);
    for (unsigned i = 0; i < TEXTS; i++) {
        assert_ptr_equal(put(&table, i), held[i]);
        intern_table_release(&table, held[i]);
        intern_table_release(&table, held[i]);
    }
    end(&table, &reclaim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_objects_are_one_until_the_last_lets_go),
        cmocka_unit_test(what_is_retired_stays_until_no_reader_can_have_it),
        cmocka_unit_test(counts_are_those_of_a_plain_list),
        cmocka_unit_test(objects_whose_hashes_collide_are_compared_whole),
        cmocka_unit_test(a_failing_allocation_leaves_nothing_behind),
        cmocka_unit_test(without_memory_to_grow_the_table_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
