// grpc-timeout: every unit, every way to be wrong, and what is written is read back.
#include "common/grpc/timeout.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static void each_unit_is_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } vectors[] = {
        {"1n", 1},
        {"250u", 250000},
        {"100m", 100000000},
        {"30S", 30000000000},
        {"2M", 120000000000},
        {"1H", 3600000000000},
        {"0n", 0},
        {"00000001S", 1000000000},
        {"99999999S", 99999999000000000},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        uint64_t ns;
        assert_true(timeout_parse(bytes_of_text(vectors[i].text), &ns));
        assert_int_equal(ns, vectors[i].ns);
    }
}

static void the_largest_is_held_at_what_64_bits_can_add_to(void **state) {
    (void)state;
    uint64_t ns;
    assert_true(timeout_parse(BYTES_LITERAL("99999999H"), &ns));
    assert_int_equal(ns, INT64_MAX);
}

static void anything_else_is_refused_and_leaves_the_result_alone(void **state) {
    (void)state;
    static const char *const bad[] = {"",    "S",   "1",   "100",  "123456789S", "1s",  "1 S",  " 1S",
                                      "1S ", "+1S", "-1S", "1.5S", "0x1S",       "1SS", "1\xc3"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        uint64_t ns = 42;
        assert_false(timeout_parse(bytes_of_text(bad[i]), &ns));
        assert_int_equal(ns, 42);
    }
    uint64_t ns = 42;
    assert_false(timeout_parse(BYTES_LITERAL("1\0S"), &ns));
}

static void milliseconds_have_one_to_ten_digits(void **state) {
    (void)state;
    static const char *const bad[] = {"", "-1", "+1", "1.5", " 1", "1 ", "1m", "0x1", "12345678901"};
    uint64_t ns;
    assert_true(timeout_parse_ms(BYTES_LITERAL("0"), &ns));
    assert_int_equal(ns, 0);
    assert_true(timeout_parse_ms(BYTES_LITERAL("0000000250"), &ns));
    assert_int_equal(ns, 250000000);
    assert_true(timeout_parse_ms(BYTES_LITERAL("9999999999"), &ns));
    assert_int_equal(ns, 9999999999000000);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        ns = 42;
        assert_false(timeout_parse_ms(bytes_of_text(bad[i]), &ns));
        assert_int_equal(ns, 42);
    }
}

static void what_is_written_is_read_back_no_shorter_and_hardly_longer(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t timeout_ns = seed_next(&seed) >> (1 + seed_next_below(&seed, 60)), ns;
        char text[TIMEOUT_TEXT_MAX + 1];
        size_t len = timeout_format(timeout_ns, text);
        assert_true(timeout_parse(bytes_of(text, len), &ns));
        assert_true(ns >= timeout_ns);
        assert_true(ns - timeout_ns <= timeout_ns / 10000 + 1 || ns == INT64_MAX);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_unit_is_read),
        cmocka_unit_test(the_largest_is_held_at_what_64_bits_can_add_to),
        cmocka_unit_test(anything_else_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(milliseconds_have_one_to_ten_digits),
        cmocka_unit_test(what_is_written_is_read_back_no_shorter_and_hardly_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
