// gzip in and out: what is compressed comes back, every cut and every flipped bit is told, and nothing grows
// past its limit.
#include <stdlib.h>
#include <string.h>

#include "common/grpc/compression.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { LIMIT = 1024 * 1024 };

static struct compression compression;
static struct buffer packed, plain;

static int tear_down(void **state) {
    (void)state;
    compression_fini(&compression);
    buffer_fini(&packed);
    buffer_fini(&plain);
    return 0;
}

static void pack(struct bytes from) {
    buffer_reset(&packed);
    assert_int_equal(compression_deflate(&compression, from, &packed), STATUS_OK);
}

static enum status unpack(struct bytes from, size_t max) {
    buffer_reset(&plain);
    return compression_inflate(&compression, from, &(struct inflate_limit){.max_bytes = max}, &plain);
}

// Runs of letters, of which some are long.
static void fill(struct seed *seed, uint8_t *to, size_t len) {
    for (size_t i = 0; i < len;) {
        size_t run = seed_next_below(seed, 2) ? 1 + seed_next_below(seed, 300) : 1;
        uint8_t byte = (uint8_t)seed_next(seed);
        for (; run > 0 && i < len; run--)
            to[i++] = byte;
    }
}

static void what_is_compressed_comes_back_whatever_came_before(void **state) {
    (void)state;
    struct seed seed = seed_new();
    static uint8_t text[100000];
    for (unsigned i = 0; i < 300; i++) {
        size_t len = seed_next_below(&seed, sizeof(text) >> seed_next_below(&seed, 17));
        fill(&seed, text, len);
        pack(bytes_of(text, len));
        assert_int_equal(unpack(buffer_get_bytes(&packed), len), STATUS_OK);
        assert_true(bytes_is_equal(buffer_get_bytes(&plain), bytes_of(text, len)));
        // What fails leaves nothing behind for the next.
        assert_int_equal(unpack(bytes_of(packed.data, packed.len - 1), len), STATUS_MALFORMED);
    }
}

static void the_limit_is_allowed_and_one_more_is_not(void **state) {
    (void)state;
    static uint8_t zeros[LIMIT];
    for (size_t len = 0; len <= LIMIT; len = len * 3 + 1) {
        pack(bytes_of(zeros, len));
        assert_int_equal(unpack(buffer_get_bytes(&packed), len), STATUS_OK);
        assert_int_equal(plain.len, len);
        if (len > 0)
            assert_int_equal(unpack(buffer_get_bytes(&packed), len - 1), STATUS_TOO_LARGE);
        assert_int_equal(unpack(buffer_get_bytes(&packed), LIMIT), STATUS_OK);
    }
}

static void a_bomb_is_left_where_its_limit_is_passed(void **state) {
    (void)state;
    static uint8_t zeros[16 * LIMIT];
    pack(bytes_of(zeros, sizeof(zeros)));
    assert_int_equal(unpack(buffer_get_bytes(&packed), LIMIT), STATUS_TOO_LARGE);
    assert_in_range(plain.capacity, LIMIT, 4 * LIMIT);
}

struct asked {
    size_t times, granted;
};

static bool may_go_on(void *context) {
    struct asked *asked = context;
    return asked->times++ < asked->granted;
}

static void beyond_what_is_free_each_step_is_asked_for(void **state) {
    (void)state;
    static uint8_t zeros[LIMIT];
    enum { FREE = 1000, STEPS = 3 };
    const struct {
        size_t len, granted, asked, inflated;
        enum status status;
    } rows[] = {
        {FREE - 1, 0, 0, FREE - 1, STATUS_OK},
        {FREE + STEPS * COMPRESSION_STEP_BYTES - 1, STEPS, STEPS, FREE + STEPS * COMPRESSION_STEP_BYTES - 1,
         STATUS_OK},
        {LIMIT, STEPS, STEPS + 1, FREE + STEPS * COMPRESSION_STEP_BYTES, STATUS_EXHAUSTED},
        {LIMIT, LIMIT, (LIMIT - FREE) / COMPRESSION_STEP_BYTES + 1, LIMIT, STATUS_OK},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct asked asked = {.granted = rows[i].granted};
        const struct inflate_limit limit = {LIMIT, FREE, may_go_on, &asked};
        pack(bytes_of(zeros, rows[i].len));
        buffer_reset(&plain);
        assert_int_equal(compression_inflate(&compression, buffer_get_bytes(&packed), &limit, &plain),
                         rows[i].status);
        assert_int_equal(plain.len, rows[i].inflated);
        assert_int_equal(asked.times, rows[i].asked);
    }
}

static void every_cut_and_every_flipped_bit_is_told(void **state) {
    (void)state;
    const struct bytes text = BYTES_LITERAL("a text, a text, and once more a text that is long enough");
    pack(text);
    for (size_t len = 0; len < packed.len; len++)
        assert_int_equal(unpack(bytes_of(packed.data, len), LIMIT), STATUS_MALFORMED);
    for (size_t bit = 0; bit < packed.len * 8; bit++) {
        packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enum status status = unpack(buffer_get_bytes(&packed), LIMIT);
        // Of the header, time and system say nothing about the text; nor do the bits behind the last block.
        assert_true(status != STATUS_OK || bytes_is_equal(buffer_get_bytes(&plain), text));
        assert_true(status != STATUS_OK || bit / 8 < 10 || bit / 8 == packed.len - 9);
        packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void one_member_is_all_that_a_message_is(void **state) {
    (void)state;
    pack(BYTES_LITERAL("first"));
    size_t len = packed.len;
    assert_int_equal(compression_deflate(&compression, BYTES_LITERAL("second"), &packed), STATUS_OK);
    assert_int_equal(unpack(buffer_get_bytes(&packed), LIMIT), STATUS_MALFORMED);
    assert_int_equal(unpack(bytes_of(packed.data, len + 1), LIMIT), STATUS_MALFORMED);
    assert_int_equal(unpack(bytes_of(packed.data, len), LIMIT), STATUS_OK);
    // zlib's own format, and raw deflate, are others.
    assert_int_equal(unpack(BYTES_LITERAL("\x78\x9c\x03\x00\x00\x00\x00\x01"), LIMIT), STATUS_MALFORMED);
    assert_int_equal(unpack(BYTES_LITERAL("\x03\x00"), LIMIT), STATUS_MALFORMED);
}

static bool go_both_ways(void *context) {
    (void)context;
    struct compression own = {0};
    struct buffer there = {0}, back = {0};
    bool is_good = compression_deflate(&own, BYTES_LITERAL("text"), &there) == STATUS_OK &&
                   compression_inflate(&own, buffer_get_bytes(&there),
                                       &(struct inflate_limit){.max_bytes = LIMIT}, &back) == STATUS_OK;
    compression_fini(&own);
    buffer_fini(&there);
    buffer_fini(&back);
    return is_good;
}

static void out_of_memory_is_told(void **state) {
    (void)state;
    assert_true(allocation_failure_try_each(go_both_ways, NULL) >= 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_compressed_comes_back_whatever_came_before, tear_down),
        cmocka_unit_test_teardown(the_limit_is_allowed_and_one_more_is_not, tear_down),
        cmocka_unit_test_teardown(a_bomb_is_left_where_its_limit_is_passed, tear_down),
        cmocka_unit_test_teardown(beyond_what_is_free_each_step_is_asked_for, tear_down),
        cmocka_unit_test_teardown(every_cut_and_every_flipped_bit_is_told, tear_down),
        cmocka_unit_test_teardown(one_member_is_all_that_a_message_is, tear_down),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
