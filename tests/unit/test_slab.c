// Numbered objects: each its own, aligned, where it was while there are more, and used again when released.
#include <stdint.h>
#include <string.h>

#include "services/validator/image/slab.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

enum { OBJECTS = 10000, SIZE = 48, BLOCK_BITS = 8 };

struct stage {
    struct reclaim reclaim;
    struct slab slab;
};

static void stage_init(struct stage *stage) {
    *stage = (struct stage){0};
    slab_init(&stage->slab, &stage->reclaim, SIZE, BLOCK_BITS);
}

static void stage_fini(struct stage *stage) {
    reclaim_fini(&stage->reclaim);
    slab_fini(&stage->slab);
}

static void every_object_has_its_place_and_keeps_it(void **state) {
    (void)state;
    struct stage stage;
    static void *objects[OBJECTS + 1];
    stage_init(&stage);
    for (uint32_t i = 1; i <= OBJECTS; i++) {
        assert_int_equal(slab_allocate(&stage.slab), i);
        objects[i] = slab_get(&stage.slab, i);
        assert_int_equal((uintptr_t)objects[i] % 16, 0);
        memset(objects[i], (int)i % 251, SIZE);
    }
    uint32_t number = SLAB_NONE;
    for (const uint8_t *object; (object = slab_next(&stage.slab, &number));) {
        assert_ptr_equal(object, objects[number]);
        for (size_t k = 0; k < SIZE; k++)
            assert_int_equal(object[k], number % 251);
    }
    assert_int_equal(number, OBJECTS + 1);
    assert_in_range(slab_get_size_bytes(&stage.slab), OBJECTS * SIZE,
                    OBJECTS * SIZE + (SIZE << BLOCK_BITS) + 1024);
    stage_fini(&stage);
}

static void what_was_released_is_given_out_first(void **state) {
    (void)state;
    struct stage stage;
    stage_init(&stage);
    for (uint32_t i = 1; i <= 600; i++)
        (void)!slab_allocate(&stage.slab);
    slab_release(&stage.slab, 7);
    slab_release(&stage.slab, 300);
    assert_int_equal(slab_allocate(&stage.slab), 300);
    assert_int_equal(slab_allocate(&stage.slab), 7);
    assert_int_equal(slab_allocate(&stage.slab), 601);
    stage_fini(&stage);
}

static bool allocate_some(void *context) {
    (void)context;
    struct stage stage;
    uint32_t number = 1;
    stage_init(&stage);
    for (int i = 0; i < 3000 && number != SLAB_NONE; i++)
        number = slab_allocate(&stage.slab);
    stage_fini(&stage);
    return number != SLAB_NONE;
}

// why not allocation_failure_try_each(): the list of what is to be reclaimed does without memory.
static void without_memory_there_is_no_object(void **state) {
    (void)state;
    for (size_t k = 1, count = k; count >= k; k++) {
        allocation_failure_begin(k);
        bool succeeded = allocate_some(NULL);
        count = allocation_failure_end();
        assert_true(count >= k || succeeded);
        assert_true(k > 1 || !succeeded);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_object_has_its_place_and_keeps_it),
        cmocka_unit_test(what_was_released_is_given_out_first),
        cmocka_unit_test(without_memory_there_is_no_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
