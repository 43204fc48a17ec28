// The buffer against a plain array, its limit, and what is left after a failure.
#include <string.h>

#include "common/base/buffer.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static void zeroed_memory_is_an_empty_buffer(void **state) {
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_get_bytes(&buffer).len, 0);
    buffer_consume(&buffer, 0);
    buffer_reset(&buffer);
    buffer_fini(&buffer);
}

static void appended_pieces_stand_one_after_the_other(void **state) {
    (void)state;
    struct buffer buffer = {0};
    buffer_append_text(&buffer, "lk");
    buffer_append_byte(&buffer, '_');
    buffer_append(&buffer, BYTES_EMPTY);
    buffer_append_format(&buffer, "%s-%03d", "a", 7);
    buffer_append(&buffer, BYTES_LITERAL("!"));
    assert_true(bytes_is_text(buffer_get_bytes(&buffer), "lk_a-007!"));
    assert_false(buffer.failed);
    buffer_fini(&buffer);
}

static void reserved_room_counts_only_when_advanced(void **state) {
    (void)state;
    struct buffer buffer = {0};
    uint8_t *room = buffer_reserve(&buffer, 100);
    assert_non_null(room);
    memcpy(room, "abc", 3);
    assert_int_equal(buffer.len, 0);
    buffer_advance(&buffer, 3);
    assert_true(bytes_is_text(buffer_get_bytes(&buffer), "abc"));
    buffer_fini(&buffer);
}

static void an_empty_reservation_is_an_address(void **state) {
    (void)state;
    struct buffer buffer = {0};
    assert_non_null(buffer_reserve(&buffer, 0));
    buffer_fini(&buffer);
}

static void the_limit_is_reached_but_not_passed(void **state) {
    (void)state;
    struct buffer buffer = {.limit = 5};
    buffer_append_text(&buffer, "abc");
    buffer_append_format(&buffer, "%d", 12);
    assert_false(buffer.failed);
    assert_int_equal(buffer.len, 5);
    buffer_append(&buffer, BYTES_EMPTY);
    assert_false(buffer.failed);
    buffer_append_byte(&buffer, 'x');
    assert_true(buffer.failed);
    assert_true(bytes_is_text(buffer_get_bytes(&buffer), "abc12"));
    buffer_fini(&buffer);
}

static void a_failure_sticks_until_the_reset(void **state) {
    (void)state;
    struct buffer buffer = {.limit = 4};
    buffer_append_text(&buffer, "abc");
    buffer_append_text(&buffer, "de");
    buffer_append_text(&buffer, "f");
    assert_null(buffer_reserve(&buffer, 0));
    assert_true(buffer.failed);
    assert_true(bytes_is_text(buffer_get_bytes(&buffer), "abc"));
    buffer_reset(&buffer);
    buffer_append_text(&buffer, "wxyz");
    assert_false(buffer.failed);
    assert_true(bytes_is_text(buffer_get_bytes(&buffer), "wxyz"));
    buffer_fini(&buffer);
}

static void sizes_that_overflow_fail(void **state) {
    (void)state;
    struct buffer buffer = {0};
    volatile size_t huge = SIZE_MAX;
    buffer_append_byte(&buffer, 'x');
    assert_null(buffer_reserve(&buffer, huge));
    assert_true(buffer.failed);
    assert_int_equal(buffer.len, 1);
    buffer_fini(&buffer);
}

static void random_appending_and_consuming_agrees_with_an_array(void **state) {
    (void)state;
    static uint8_t expected[1 << 20];
    struct seed seed = seed_new();
    struct buffer buffer = {0};
    size_t len = 0;
    for (int i = 0; i < 5000; i++) {
        uint8_t piece[300];
        size_t piece_len = seed_next_below(&seed, sizeof(piece));
        seed_fill(&seed, piece, piece_len);
        buffer_append(&buffer, bytes_of(piece, piece_len));
        memcpy(expected + len, piece, piece_len);
        len += piece_len;
        if (len > 5000 || seed_next_below(&seed, 4) == 0) {
            size_t consumed = seed_next_below(&seed, len + 1);
            buffer_consume(&buffer, consumed);
            memmove(expected, expected + consumed, len - consumed);
            len -= consumed;
        }
        assert_true(bytes_is_equal(buffer_get_bytes(&buffer), bytes_of(expected, len)));
    }
    buffer_fini(&buffer);
}

static void memory_is_kept_over_a_reset(void **state) {
    (void)state;
    struct buffer buffer = {0};
    assert_non_null(buffer_reserve(&buffer, 1000));
    buffer_advance(&buffer, 1000);
    buffer_reset(&buffer);
    allocation_failure_begin(0);
    uint8_t *room = buffer_reserve(&buffer, 1000);
    assert_int_equal(allocation_failure_end(), 0);
    assert_non_null(room);
    buffer_fini(&buffer);
}

static bool build_a_message(void *context) {
    (void)context;
    struct buffer buffer = {0};
    buffer_append_text(&buffer, "first");
    buffer_append_format(&buffer, "%0200d", 1);
    for (int i = 0; i < 1000; i++)
        buffer_append_byte(&buffer, 'x');
    bool succeeded = !buffer.failed;
    buffer_fini(&buffer);
    return succeeded;
}

static void every_failing_allocation_is_reported(void **state) {
    (void)state;
    assert_true(allocation_failure_try_each(build_a_message, NULL) >= 3);
}

static void a_failed_append_leaves_the_content_as_it_was(void **state) {
    (void)state;
    static const uint8_t more[200];
    struct buffer buffer = {0};
    buffer_append_text(&buffer, "whole");
    allocation_failure_begin(1);
    buffer_append(&buffer, bytes_of(more, sizeof(more)));
    allocation_failure_end();
    assert_true(buffer.failed);
    assert_true(bytes_is_text(buffer_get_bytes(&buffer), "whole"));
    buffer_fini(&buffer);
}

static void a_json_string_is_quoted_and_escaped(void **state) {
    (void)state;
    struct buffer buffer = {0};
    buffer_append_json(&buffer, BYTES_LITERAL("a\"b\\c\n\x01\x7f\xc3\xa4/"));
    assert_true(bytes_is_text(buffer_get_bytes(&buffer), "\"a\\\"b\\\\c\\u000a\\u0001\x7f\xc3\xa4/\""));
    buffer_reset(&buffer);
    buffer_append_json(&buffer, BYTES_EMPTY);
    assert_true(bytes_is_text(buffer_get_bytes(&buffer), "\"\""));
    buffer_fini(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_memory_is_an_empty_buffer),
        cmocka_unit_test(appended_pieces_stand_one_after_the_other),
        cmocka_unit_test(reserved_room_counts_only_when_advanced),
        cmocka_unit_test(an_empty_reservation_is_an_address),
        cmocka_unit_test(the_limit_is_reached_but_not_passed),
        cmocka_unit_test(a_failure_sticks_until_the_reset),
        cmocka_unit_test(sizes_that_overflow_fail),
        cmocka_unit_test(random_appending_and_consuming_agrees_with_an_array),
        cmocka_unit_test(memory_is_kept_over_a_reset),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(a_failed_append_leaves_the_content_as_it_was),
        cmocka_unit_test(a_json_string_is_quoted_and_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
