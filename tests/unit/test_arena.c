// The arena against a plain list of what was handed out.
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

static void memory_is_aligned_for_any_type(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    for (size_t size = 0; size < 100; size++) {
        void *memory = arena_allocate(&arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
    }
    arena_fini(&arena);
}

static void nothing_is_allocated_before_the_first_request(void **state) {
    (void)state;
    struct arena arena;
    allocation_failure_begin(0);
    arena_init(&arena, 0);
    arena_reset(&arena);
    arena_fini(&arena);
    assert_int_equal(allocation_failure_end(), 0);
}

static void empty_requests_get_addresses_of_their_own(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    void *first = arena_allocate(&arena, 0);
    void *second = arena_allocate(&arena, 0);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    arena_fini(&arena);
}

struct piece {
    uint8_t *memory;
    size_t size;
    uint8_t mark;
};

// Each piece is filled with a mark of its own; an overlap would leave another's.
static void fill_with_random_pieces(struct arena *arena, struct seed *seed, struct piece *pieces,
                                    size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t size = seed_next_below(seed, seed_next_below(seed, 20) == 0 ? 100000 : 300);
        pieces[i] = (struct piece){arena_allocate(arena, size), size, (uint8_t)seed_next(seed)};
        assert_non_null(pieces[i].memory);
        memset(pieces[i].memory, pieces[i].mark, size);
    }
}

static void pieces_of_any_size_do_not_overlap(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct piece pieces[500];
    struct arena arena;
    arena_init(&arena, 0);
    for (int round = 0; round < 5; round++) {
        fill_with_random_pieces(&arena, &seed, pieces, ARRAY_LENGTH(pieces));
        for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++)
            for (size_t at = 0; at < pieces[i].size; at++)
                assert_int_equal(pieces[i].memory[at], pieces[i].mark);
        arena_reset(&arena);
        assert_int_equal(arena.used_bytes, 0);
    }
    arena_fini(&arena);
}

static void a_large_piece_leaves_the_rest_of_the_current_block_in_use(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    uint8_t *before = arena_allocate(&arena, 16);
    assert_non_null(arena_allocate(&arena, 1000000));
    assert_ptr_equal(arena_allocate(&arena, 16), before + 16);
    arena_fini(&arena);
}

static void a_reset_arena_allocates_nothing_for_a_small_call(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    void *first = arena_allocate(&arena, 100);
    assert_non_null(first);
    assert_non_null(arena_allocate(&arena, 100000));
    arena_reset(&arena);
    allocation_failure_begin(0);
    void *again = arena_allocate(&arena, 4096);
    assert_int_equal(allocation_failure_end(), 0);
    assert_ptr_equal(again, first);
    arena_fini(&arena);
}

static void the_limit_counts_what_was_handed_out_since_the_last_reset(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 160);
    for (int i = 0; i < 10; i++)
        assert_non_null(arena_allocate(&arena, 1));
    assert_null(arena_allocate(&arena, 1));
    assert_null(arena_allocate(&arena, 0));
    arena_reset(&arena);
    assert_null(arena_allocate(&arena, 161));
    assert_non_null(arena_allocate(&arena, 160));
    assert_null(arena_allocate(&arena, 1));
    arena_fini(&arena);
}

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    volatile size_t huge = SIZE_MAX;
    assert_null(arena_allocate(&arena, huge));
    assert_null(arena_allocate(&arena, huge - 16));
    assert_null(arena_allocate_array(&arena, huge / 2, 3));
    assert_null(arena_copy_bytes(&arena, bytes_of("", huge)));
    assert_int_equal(arena.used_bytes, 0);
    arena_fini(&arena);
}

static void arrays_are_zeroed_also_where_memory_was_used_before(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    void *dirty = arena_allocate(&arena, 800);
    assert_non_null(dirty);
    memset(dirty, 0xFF, 800);
    arena_reset(&arena);
    uint64_t *zeroed = ARENA_NEW_ARRAY(&arena, uint64_t, 100);
    assert_ptr_equal(zeroed, dirty);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(zeroed[i], 0);
    arena_fini(&arena);
}

static void copies_end_with_nul(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    assert_string_equal(arena_copy_text(&arena, "latchkey"), "latchkey");
    assert_string_equal(arena_copy_text(&arena, NULL), "");
    assert_string_equal(arena_copy_bytes(&arena, bytes_of("abcdef", 3)), "abc");
    assert_string_equal(arena_copy_bytes(&arena, BYTES_EMPTY), "");
    assert_string_equal(arena_format(&arena, "entries[%d].%s", 3, "address"), "entries[3].address");
    arena_fini(&arena);
}

static void what_was_handed_out_is_poisoned_after_a_reset(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    struct arena arena;
    arena_init(&arena, 0);
    char *text = arena_copy_text(&arena, "gone");
    assert_false(__asan_address_is_poisoned(text));
    assert_true(__asan_address_is_poisoned(text + sizeof("gone")));
    arena_reset(&arena);
    assert_true(__asan_address_is_poisoned(text));
    arena_fini(&arena);
#else
    skip();
#endif
}

static bool build_a_call(void *context) {
    (void)context;
    struct arena arena;
    arena_init(&arena, 0);
    bool succeeded = arena_allocate(&arena, 3000) && arena_allocate(&arena, 3000) &&
                     arena_allocate(&arena, 1000000) && arena_format(&arena, "%05000d", 1);
    arena_fini(&arena);
    return succeeded;
}

static void every_failing_allocation_is_reported(void **state) {
    (void)state;
    assert_true(allocation_failure_try_each(build_a_call, NULL) >= 3);
}

static void an_arena_is_usable_after_a_failed_allocation(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    allocation_failure_begin(1);
    void *failed = arena_allocate(&arena, 10);
    allocation_failure_end();
    assert_null(failed);
    assert_int_equal(arena.used_bytes, 0);
    assert_non_null(arena_allocate(&arena, 10));
    arena_fini(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_for_any_type),
        cmocka_unit_test(nothing_is_allocated_before_the_first_request),
        cmocka_unit_test(empty_requests_get_addresses_of_their_own),
        cmocka_unit_test(pieces_of_any_size_do_not_overlap),
        cmocka_unit_test(a_large_piece_leaves_the_rest_of_the_current_block_in_use),
        cmocka_unit_test(a_reset_arena_allocates_nothing_for_a_small_call),
        cmocka_unit_test(the_limit_counts_what_was_handed_out_since_the_last_reset),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(arrays_are_zeroed_also_where_memory_was_used_before),
        cmocka_unit_test(copies_end_with_nul),
        cmocka_unit_test(what_was_handed_out_is_poisoned_after_a_reset),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(an_arena_is_usable_after_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
