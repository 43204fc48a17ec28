// What was unpublished is released in the order in which it was added, with memory to remember it and
// without.
#include "services/validator/image/reclaim.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

enum { OBJECTS = 200 };

struct log {
    struct reclaim reclaim;
    char objects[OBJECTS];
    size_t released;
    bool is_in_order;
    bool adds_more; // from inside the first release
};

static void release(void *owner, void *object);

static void add(struct log *log, size_t i) {
    reclaim_add(&log->reclaim, release, log, &log->objects[i]);
}

static void release(void *owner, void *object) {
    struct log *log = owner;
    size_t i = (size_t)((char *)object - log->objects);
    log->is_in_order = log->is_in_order && i == log->released;
    log->released++;
    if (log->adds_more && i == 0)
        add(log, OBJECTS - 1);
}

static void everything_is_released_once_and_in_order(void **state) {
    (void)state;
    struct log log = {.is_in_order = true};
    for (size_t i = 0; i < OBJECTS; i++)
        add(&log, i);
    assert_int_equal(log.released, 0);
    reclaim_run(&log.reclaim);
    assert_int_equal(log.released, OBJECTS);
    assert_true(log.is_in_order);
    reclaim_fini(&log.reclaim);
    assert_int_equal(log.released, OBJECTS);
}

// An image's own things come before the image.
static void without_memory_what_was_added_before_goes_first(void **state) {
    (void)state;
    struct log log = {.is_in_order = true};
    size_t i = 0;
    while (log.reclaim.count < log.reclaim.capacity || i == 0)
        add(&log, i++);
    allocation_failure_begin(1);
    add(&log, i);
    allocation_failure_end();
    assert_int_equal(log.released, i + 1);
    assert_true(log.is_in_order);
    reclaim_fini(&log.reclaim);
    assert_int_equal(log.released, i + 1);
}

static void what_a_release_adds_is_released_too(void **state) {
    (void)state;
    struct log log = {.is_in_order = true, .adds_more = true};
    for (size_t i = 0; i < OBJECTS - 1; i++)
        add(&log, i);
    reclaim_run(&log.reclaim);
    assert_int_equal(log.released, OBJECTS);
    assert_true(log.is_in_order);
    reclaim_fini(&log.reclaim);
}

// The release has no memory to add with either: then it goes on with the others, none of them twice.
static void a_release_without_memory_to_add_releases_all_once(void **state) {
    (void)state;
    struct log log = {.is_in_order = true, .adds_more = true};
    size_t i = 0;
    while (log.reclaim.count < log.reclaim.capacity || i == 0)
        add(&log, i++);
    allocation_failure_begin_from(1);
    reclaim_run(&log.reclaim);
    allocation_failure_end();
    assert_int_equal(log.released, i + 1);
    reclaim_fini(&log.reclaim);
    assert_int_equal(log.released, i + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_released_once_and_in_order),
        cmocka_unit_test(without_memory_what_was_added_before_goes_first),
        cmocka_unit_test(what_a_release_adds_is_released_too),
        cmocka_unit_test(a_release_without_memory_to_add_releases_all_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
