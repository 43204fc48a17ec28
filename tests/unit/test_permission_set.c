// Sets of ids against arrays of booleans.
#include <string.h>

#include "common/access/permission_set.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { IDS = 200 };

struct pair {
    struct permission_set *set; // NULL now and then
    size_t limit;
    bool has[IDS];
};

static void draw(struct seed *seed, struct arena *arena, struct pair *ret) {
    *ret = (struct pair){.limit = seed_next_below(seed, IDS + 1)};
    if (seed_next_below(seed, 20) == 0) {
        ret->limit = 0;
        return;
    }
    ret->set = permission_set_new_in_arena(arena, ret->limit);
    assert_non_null(ret->set);
    size_t count = ret->limit > 0 ? seed_next_below(seed, 8) : 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t id = (uint32_t)seed_next_below(seed, ret->limit);
        permission_set_add(ret->set, id);
        ret->has[id] = true;
    }
}

static void check(const struct pair *pair) {
    size_t count = 0;
    for (uint32_t id = 0; id < IDS; id++) {
        assert_int_equal(permission_set_has(pair->set, id), pair->has[id]);
        count += pair->has[id];
    }
    assert_int_equal(permission_set_get_count(pair->set), count);
    assert_false(permission_set_has(pair->set, IDS + 100));
    assert_false(permission_set_has(pair->set, PERMISSION_ID_NONE));
}

static void compare(const struct pair *a, const struct pair *b) {
    bool all = true, any = false;
    for (size_t id = 0; id < IDS; id++) {
        all = all && (a->has[id] || !b->has[id]);
        any = any || (a->has[id] && b->has[id]);
    }
    assert_int_equal(permission_set_contains_all(a->set, b->set), all);
    assert_int_equal(permission_set_contains_any(a->set, b->set), any);
    static const uint64_t keys[2] = {1, UINT64_C(0x9E3779B97F4A7C15)};
    bool is_equal = memcmp(a->has, b->has, sizeof(a->has)) == 0;
    assert_int_equal(permission_set_is_equal(a->set, b->set), is_equal);
    assert_int_equal(permission_set_get_hash(a->set, keys) == permission_set_get_hash(b->set, keys),
                     is_equal);
}

static void join(struct pair *a, const struct pair *b) {
    if (!a->set)
        return;
    for (size_t id = 0; id < IDS; id++)
        a->has[id] = b->limit <= a->limit ? a->has[id] || b->has[id] : a->has[id] && b->has[id];
    if (b->limit <= a->limit)
        permission_set_unite(a->set, b->set);
    else
        permission_set_intersect(a->set, b->set);
}

static void sets_answer_like_arrays_whatever_their_limits(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct arena arena;
    arena_init(&arena, 0);
    for (unsigned round = 0; round < 20000; round++) {
        struct pair a, b;
        draw(&seed, &arena, &a);
        draw(&seed, &arena, &b);
        check(&a);
        compare(&a, &b);
        compare(&a, &a);
        join(&a, &b);
        check(&a);
        compare(&a, &b);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

static void sets_of_different_limits_may_be_equal(void **state) {
    (void)state;
    struct permission_set *small = permission_set_new(10),
                          *large = permission_set_new(PERMISSION_SET_LIMIT_MAX);
    assert_non_null(small);
    assert_non_null(large);
    assert_true(permission_set_is_equal(small, NULL));
    assert_true(permission_set_is_equal(large, NULL));
    permission_set_add(small, 9);
    permission_set_add(large, 9);
    assert_true(permission_set_is_equal(small, large));
    permission_set_add(large, PERMISSION_SET_LIMIT_MAX - 1);
    assert_false(permission_set_is_equal(small, large));
    assert_true(permission_set_contains_all(large, small));
    assert_false(permission_set_contains_all(small, large));
    assert_true(permission_set_get_size_bytes(large) > permission_set_get_size_bytes(small));
    permission_set_free(small);
    permission_set_free(large);
    permission_set_free(NULL);
}

static bool make_a_set(void *context) {
    (void)context;
    struct permission_set *set = permission_set_new(100);
    bool succeeded = set != NULL;
    permission_set_free(set);
    return succeeded;
}

static void a_failing_allocation_gives_no_set(void **state) {
    (void)state;
    allocation_failure_try_each(make_a_set, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_of_different_limits_may_be_equal),
        cmocka_unit_test(a_failing_allocation_gives_no_set),
        cmocka_unit_test(sets_answer_like_arrays_whatever_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
