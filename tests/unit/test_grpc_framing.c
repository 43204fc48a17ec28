// Messages inside of DATA: whole, many at once, one byte at a time, and cut at random against a plain reader.
#include <stdlib.h>
#include <string.h>

#include "common/grpc/framing.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static void append_message(struct buffer *buffer, uint8_t flag, struct bytes message) {
    uint8_t prefix[FRAMING_PREFIX_BYTES];
    framing_write_prefix(prefix, (uint32_t)message.len);
    prefix[0] = flag;
    buffer_append(buffer, bytes_of(prefix, sizeof(prefix)));
    buffer_append(buffer, message);
}

static void a_whole_message_is_handed_on_where_it_lies(void **state) {
    (void)state;
    struct framing framing;
    struct buffer wire = {0};
    struct bytes message;
    framing_init(&framing, 100);
    append_message(&wire, 0, BYTES_LITERAL("hello"));
    struct bytes from = buffer_get_bytes(&wire);
    assert_int_equal(framing_read(&framing, &from, &message), FRAMING_MESSAGE);
    assert_ptr_equal(message.data, wire.data + FRAMING_PREFIX_BYTES);
    assert_int_equal(message.len, 5);
    assert_int_equal(from.len, 0);
    assert_int_equal(framing_read(&framing, &from, &message), FRAMING_MORE);
    assert_true(framing_is_at_boundary(&framing));
    framing_fini(&framing);
    buffer_fini(&wire);
}

static void an_empty_message_is_a_message(void **state) {
    (void)state;
    struct framing framing;
    struct bytes from = BYTES_LITERAL("\0\0\0\0\0"), message;
    framing_init(&framing, 0);
    assert_int_equal(framing_read(&framing, &from, &message), FRAMING_MESSAGE);
    assert_int_equal(message.len, 0);
    framing_fini(&framing);
}

static void one_byte_at_a_time_makes_the_same_messages(void **state) {
    (void)state;
    struct framing framing;
    struct buffer wire = {0};
    framing_init(&framing, 100);
    append_message(&wire, 0, BYTES_LITERAL("first"));
    append_message(&wire, 1, BYTES_LITERAL(""));
    append_message(&wire, 0, BYTES_LITERAL("the third"));
    static const char *const expected[] = {"first", "", "the third"};
    size_t seen = 0;
    for (size_t i = 0; i < wire.len; i++) {
        struct bytes one = bytes_of(wire.data + i, 1), message;
        enum framing_result result = framing_read(&framing, &one, &message);
        assert_int_equal(one.len, 0);
        if (result == FRAMING_MORE)
            continue;
        assert_int_equal(result, FRAMING_MESSAGE);
        assert_true(bytes_is_text(message, expected[seen]));
        assert_int_equal(framing.is_compressed, seen == 1);
        seen++;
    }
    assert_int_equal(seen, 3);
    assert_true(framing_is_at_boundary(&framing));
    framing_fini(&framing);
    buffer_fini(&wire);
}

static void the_limit_is_allowed_and_one_more_is_known_from_the_prefix(void **state) {
    (void)state;
    struct framing framing;
    struct bytes message, exact = BYTES_LITERAL("\0\0\0\0\x03"), larger = BYTES_LITERAL("\0\0\0\0\x04");
    framing_init(&framing, 3);
    assert_int_equal(framing_read(&framing, &exact, &message), FRAMING_MORE);
    framing_reset(&framing, 3);
    assert_int_equal(framing_read(&framing, &larger, &message), FRAMING_TOO_LARGE);
    framing_reset(&framing, UINT32_MAX);
    struct bytes largest = BYTES_LITERAL("\0\xff\xff\xff\xff");
    assert_int_equal(framing_read(&framing, &largest, &message), FRAMING_MORE);
    // Nothing is set aside for what has only been announced.
    assert_true(framing.body.capacity < 1024);
    framing_fini(&framing);
}

static void a_cut_message_takes_no_more_than_twice_what_has_come_of_it(void **state) {
    (void)state;
    static const uint8_t zeros[5000];
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 100; round++) {
        struct framing framing;
        struct bytes prefix = BYTES_LITERAL("\0\xff\xff\xff\xff"), message;
        framing_init(&framing, UINT32_MAX);
        assert_int_equal(framing_read(&framing, &prefix, &message), FRAMING_MORE);
        for (size_t come = 0; come < 100000;) {
            struct bytes part = bytes_of(zeros, 1 + seed_next_below(&seed, sizeof(zeros)));
            come += part.len;
            assert_int_equal(framing_read(&framing, &part, &message), FRAMING_MORE);
            assert_true(framing_get_held_bytes(&framing) >= come);
            assert_true(framing_get_held_bytes(&framing) <= 2 * come || come < 64);
        }
        framing_fini(&framing);
    }
}

static void between_messages_nothing_is_held(void **state) {
    (void)state;
    struct framing framing;
    struct bytes part = BYTES_LITERAL("\0\0\0\0\x02x"), rest = BYTES_LITERAL("y"), message;
    framing_init(&framing, 10);
    assert_int_equal(framing_get_held_bytes(&framing), 0);
    assert_int_equal(framing_read(&framing, &part, &message), FRAMING_MORE);
    assert_true(framing_get_held_bytes(&framing) > 0);
    assert_int_equal(framing_read(&framing, &rest, &message), FRAMING_MESSAGE);
    assert_int_equal(framing_get_held_bytes(&framing), 0);
    framing_fini(&framing);
}

static void a_flag_other_than_0_and_1_is_refused(void **state) {
    (void)state;
    for (unsigned flag = 2; flag < 256; flag++) {
        struct framing framing;
        uint8_t prefix[FRAMING_PREFIX_BYTES] = {(uint8_t)flag};
        struct bytes from = bytes_of(prefix, sizeof(prefix)), message;
        framing_init(&framing, 10);
        assert_int_equal(framing_read(&framing, &from, &message), FRAMING_BAD_FLAG);
        framing_fini(&framing);
    }
}

static void inside_a_message_is_no_boundary(void **state) {
    (void)state;
    struct framing framing;
    struct bytes from = BYTES_LITERAL("\0\0\0\0\x02x"), message;
    framing_init(&framing, 10);
    for (size_t len = 1; len <= from.len; len++) {
        struct bytes part = bytes_of(from.data, len);
        framing_reset(&framing, 10);
        assert_int_equal(framing_read(&framing, &part, &message), FRAMING_MORE);
        assert_false(framing_is_at_boundary(&framing));
    }
    framing_fini(&framing);
}

static void random_cuts_do_not_change_what_arrives(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 300; round++) {
        enum { MESSAGES = 20, LENGTH_MAX = 300 };
        struct buffer wire = {0}, plain = {0}, arrived = {0};
        for (size_t i = 0; i < MESSAGES; i++) {
            uint8_t data[LENGTH_MAX];
            size_t len = seed_next_below(&seed, LENGTH_MAX);
            seed_fill(&seed, data, len);
            append_message(&wire, 0, bytes_of(data, len));
            buffer_append(&plain, bytes_of(data, len));
            buffer_append_byte(&plain, '|');
        }
        struct framing framing;
        framing_init(&framing, LENGTH_MAX);
        struct bytes rest = buffer_get_bytes(&wire);
        while (rest.len > 0) {
            size_t len = 1 + seed_next_below(&seed, rest.len < 400 ? rest.len : 400);
            struct bytes part = bytes_of(rest.data, len), message;
            rest = bytes_of(rest.data + len, rest.len - len);
            while (framing_read(&framing, &part, &message) == FRAMING_MESSAGE) {
                buffer_append(&arrived, message);
                buffer_append_byte(&arrived, '|');
            }
            assert_int_equal(part.len, 0);
        }
        assert_true(bytes_is_equal(buffer_get_bytes(&arrived), buffer_get_bytes(&plain)));
        framing_fini(&framing);
        buffer_fini(&wire);
        buffer_fini(&plain);
        buffer_fini(&arrived);
    }
}

static void a_bare_stream_is_one_message_of_all_its_bytes(void **state) {
    (void)state;
    struct framing framing;
    struct bytes message;
    framing_init(&framing, 0);
    for (unsigned round = 0; round < 2; round++) {
        framing_reset_bare(&framing, 10);
        for (unsigned i = 0; i < 10; i++) {
            struct bytes from = bytes_of(&"0123456789"[i], 1);
            assert_int_equal(framing_read(&framing, &from, &message), FRAMING_MORE);
            assert_int_equal(from.len, 0);
            assert_true(framing_is_at_boundary(&framing));
            framing_trim(&framing);
        }
        assert_true(bytes_is_text(framing_get_bare(&framing), "0123456789"));
        struct bytes more = BYTES_LITERAL("x");
        assert_int_equal(framing_read(&framing, &more, &message), FRAMING_TOO_LARGE);
    }
    // The next stream has prefixes again.
    framing_reset(&framing, 10);
    struct bytes from = BYTES_LITERAL("\0\0\0\0\1x");
    assert_int_equal(framing_read(&framing, &from, &message), FRAMING_MESSAGE);
    assert_true(bytes_is_text(message, "x"));
    framing_fini(&framing);
}

// Of a thousand streams that wait for their next message no budget counts what they keep of the last one.
static void between_messages_a_stream_keeps_little(void **state) {
    (void)state;
    static uint8_t bytes[FRAMING_PREFIX_BYTES + 16000] = {0, 0, 0, 16000 >> 8, 16000 & 0xff};
    struct framing framing;
    struct bytes first = {bytes, 8000}, second = {bytes + 8000, sizeof(bytes) - 8000}, message;
    framing_init(&framing, sizeof(bytes));
    assert_int_equal(framing_read(&framing, &first, &message), FRAMING_MORE);
    assert_int_equal(framing_read(&framing, &second, &message), FRAMING_MESSAGE);
    assert_int_equal(message.len, 16000);
    framing_trim(&framing);
    assert_true(framing.body.capacity <= 1024);
    framing_fini(&framing);
}

static bool put_a_message_together(void *context) {
    (void)context;
    struct framing framing;
    struct bytes first = BYTES_LITERAL("\0\0\0\0\x02x"), second = BYTES_LITERAL("y"), message;
    framing_init(&framing, 10);
    bool is_good = framing_read(&framing, &first, &message) == FRAMING_MORE &&
                   framing_read(&framing, &second, &message) == FRAMING_MESSAGE;
    framing_fini(&framing);
    return is_good;
}

static void out_of_memory_is_told(void **state) {
    (void)state;
    assert_int_equal(allocation_failure_try_each(put_a_message_together, NULL), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_message_is_handed_on_where_it_lies),
        cmocka_unit_test(an_empty_message_is_a_message),
        cmocka_unit_test(one_byte_at_a_time_makes_the_same_messages),
        cmocka_unit_test(the_limit_is_allowed_and_one_more_is_known_from_the_prefix),
        cmocka_unit_test(a_cut_message_takes_no_more_than_twice_what_has_come_of_it),
        cmocka_unit_test(between_messages_nothing_is_held),
        cmocka_unit_test(a_flag_other_than_0_and_1_is_refused),
        cmocka_unit_test(inside_a_message_is_no_boundary),
        cmocka_unit_test(random_cuts_do_not_change_what_arrives),
        cmocka_unit_test(between_messages_a_stream_keeps_little),
        cmocka_unit_test(a_bare_stream_is_one_message_of_all_its_bytes),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
