// The index against a plain list, with its walker after every step; several records have one id.
#include <stdlib.h>

#include "services/validator/image/token_index.h"
#include "services/validator/image/token_record.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { IDS = 40, RECORDS = 1500 };

struct stage {
    struct reclaim reclaim;
    struct slab records;
    struct token_index index;
    bool is_there[RECORDS + 1]; // by number
    size_t count;
};

static struct uuid make_id(uint32_t id) {
    return (struct uuid){{1, 2, 3, [14] = (uint8_t)(id >> 8), [15] = (uint8_t)id}};
}

static struct token_record *get_record(const struct stage *stage, uint32_t number) {
    return slab_get(&stage->records, number);
}

static void check(const struct token_index *index) {
    const char *broken = token_index_check(index);
    if (broken)
        fail_msg("%s", broken);
}

// Records of all numbers, `ids` different ids among them.
static void stage_init(struct stage *stage, uint32_t ids) {
    *stage = (struct stage){0};
    slab_init(&stage->records, &stage->reclaim, sizeof(struct token_record), 8);
    token_index_init(&stage->index, &stage->records);
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint32_t number = slab_allocate(&stage->records);
        assert_in_range(number, 1, RECORDS);
        *get_record(stage, number) = (struct token_record){.token_id = make_id(i % ids)};
    }
}

static void stage_fini(struct stage *stage) {
    token_index_fini(&stage->index);
    reclaim_fini(&stage->reclaim);
    slab_fini(&stage->records);
}

static void add(struct stage *stage, uint32_t number) {
    assert_int_equal(token_index_add(&stage->index, number), STATUS_OK);
    stage->is_there[number] = true;
    stage->count++;
}

static void take_away(struct stage *stage, uint32_t number) {
    token_index_remove(&stage->index, number);
    stage->is_there[number] = false;
    stage->count--;
}

static size_t count_listed(const struct stage *stage, const struct uuid *id) {
    size_t count = 0;
    for (uint32_t number = 1; number <= RECORDS; number++)
        count += stage->is_there[number] && uuid_is_equal(get_record(stage, number)->token_id, *id);
    return count;
}

static void compare(const struct stage *stage, uint32_t which) {
    const struct uuid id = make_id(which);
    size_t cursor = 0, count = 0;
    for (uint32_t number; (number = token_index_next(&stage->index, &id, &cursor)) != SLAB_NONE; count++) {
        assert_true(stage->is_there[number]);
        assert_memory_equal(&get_record(stage, number)->token_id, &id, sizeof(id));
    }
    assert_int_equal(count, count_listed(stage, &id));
}

static void random_additions_and_removals_agree_with_a_list(uint32_t ids) {
    struct seed seed = seed_new();
    struct stage stage;
    stage_init(&stage, ids);
    for (uint32_t step = 0; step < 6000; step++) {
        uint32_t number = 1 + (uint32_t)seed_next_below(&seed, RECORDS);
        bool is_filling = step / 1500 % 2 == 0;
        if (stage.is_there[number])
            take_away(&stage, number);
        else if (is_filling || seed_next_below(&seed, 4) == 0)
            add(&stage, number);
        if (step % 16 == 0)
            check(&stage.index);
        compare(&stage, (uint32_t)seed_next_below(&seed, ids + 1));
        assert_int_equal(stage.index.count, stage.count);
    }
    check(&stage.index);
    stage_fini(&stage);
}

static void tokens_of_one_secret_are_found(void **state) {
    (void)state;
    random_additions_and_removals_agree_with_a_list(RECORDS);
}

static void all_secrets_of_a_token_are_found(void **state) {
    (void)state;
    random_additions_and_removals_agree_with_a_list(IDS);
}

static void a_replaced_record_is_found_no_more(void **state) {
    (void)state;
    struct stage stage;
    stage_init(&stage, IDS);
    for (uint32_t number = 1; number <= IDS; number++)
        add(&stage, number);
    for (uint32_t number = 1; number <= IDS; number++) {
        token_index_replace(&stage.index, number, number + IDS); // of the same id
        stage.is_there[number] = false;
        stage.is_there[number + IDS] = true;
        compare(&stage, number - 1);
    }
    check(&stage.index);
    stage_fini(&stage);
}

static void fill_with_room_for(size_t count, size_t failing) {
    struct stage stage;
    stage_init(&stage, RECORDS);
    allocation_failure_begin_from(failing);
    token_index_reserve(&stage.index, count);
    (void)allocation_failure_end();
    check(&stage.index);
    for (uint32_t number = 1; number <= RECORDS; number++)
        add(&stage, number);
    check(&stage.index);
    token_index_trim(&stage.index);
    check(&stage.index);
    assert_int_equal(stage.index.count, RECORDS);
    for (uint32_t which = 0; which < RECORDS; which++)
        compare(&stage, which);
    stage_fini(&stage);
}

static void room_that_is_made_and_given_back_changes_nothing(void **state) {
    (void)state;
    fill_with_room_for(100, SIZE_MAX);
    fill_with_room_for(RECORDS, SIZE_MAX);
    fill_with_room_for(1000 * RECORDS, SIZE_MAX);
    fill_with_room_for(SIZE_MAX, SIZE_MAX);
    fill_with_room_for(1000 * RECORDS, 1);
    fill_with_room_for(1000 * RECORDS, TOKEN_INDEX_PARTITIONS / 2);
}

static void room_is_as_large_as_asked_for_and_given_back(void **state) {
    (void)state;
    struct token_index index;
    struct stage stage;
    stage_init(&stage, RECORDS);
    token_index_init(&index, &stage.records);
    token_index_reserve(&index, 100000);
    assert_in_range(token_index_get_size_bytes(&index), 4 * 100000, 6 * 100000);
    token_index_trim(&index);
    assert_in_range(token_index_get_size_bytes(&index), 0, 4 * 16 * TOKEN_INDEX_PARTITIONS);
    token_index_fini(&index);
    stage_fini(&stage);
}

static bool fill_an_index(void *context) {
    struct stage *stage = context;
    struct token_index index;
    token_index_init(&index, &stage->records);
    enum status status = STATUS_OK;
    size_t count = 0;
    for (uint32_t number = 1; number <= RECORDS && status == STATUS_OK; number++) {
        status = token_index_add(&index, number);
        count += status == STATUS_OK;
    }
    allocation_failure_suspend();
    check(&index);
    assert_int_equal(index.count, count);
    token_index_fini(&index);
    allocation_failure_resume();
    return status == STATUS_OK;
}

static void a_failing_allocation_leaves_the_index_as_it_was(void **state) {
    (void)state;
    struct stage stage;
    stage_init(&stage, 10);
    allocation_failure_try_each(fill_an_index, &stage);
    stage_fini(&stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_one_secret_are_found),
        cmocka_unit_test(all_secrets_of_a_token_are_found),
        cmocka_unit_test(a_replaced_record_is_found_no_more),
        cmocka_unit_test(room_that_is_made_and_given_back_changes_nothing),
        cmocka_unit_test(room_is_as_large_as_asked_for_and_given_back),
        cmocka_unit_test(a_failing_allocation_leaves_the_index_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
