// Fields of a binary row: what PostgreSQL sends is read, anything else is refused for good.
#include "common/base/clock.h"
#include "services/validator/row_fields.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

#define FIELD(text) BYTES_LITERAL(text)

// One dimension of `count` elements of type `type`, both below 256 or the type given as two bytes.
#define ARRAY_OF(count, type) "\0\0\0\1\0\0\0\0\0\0" type "\0\0\0" count "\0\0\0\1"
#define TEXT_TYPE "\0\x19"
#define UUID_TYPE "\x0b\x86"
#define CIDR_TYPE "\x02\x8a"

static struct arena arena;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void fields_are_taken_in_order(void **state) {
    (void)state;
    const struct bytes row[] = {FIELD("\1"),   FIELD("a"),
                                FIELD("\0\3"), FIELD("0123456789abcdef"),
                                FIELD("shop"), FIELD("\0\0\0\0\0\0\0\0")};
    struct row_fields fields = row_fields_of(row, &arena);
    assert_true(row_fields_take_bool(&fields));
    assert_int_equal(row_fields_take_char(&fields), 'a');
    assert_int_equal(row_fields_take_int16(&fields), 3);
    assert_memory_equal(row_fields_take_uuid(&fields).bytes, "0123456789abcdef", 16);
    assert_true(bytes_is_text(row_fields_take_text(&fields), "shop"));
    assert_true(row_fields_take_time_ms(&fields, 0) == INT64_C(946684800000));
    assert_int_equal(fields.status, STATUS_OK);
}

static void nulls_are_what_was_asked_for(void **state) {
    (void)state;
    const struct bytes row[] = {BYTES_EMPTY, BYTES_EMPTY, BYTES_EMPTY};
    struct row_fields fields = row_fields_of(row, &arena);
    size_t count = 1;
    assert_true(uuid_is_zero(row_fields_take_uuid_or_zero(&fields)));
    assert_true(row_fields_take_time_ms(&fields, CLOCK_ALWAYS_MS) == CLOCK_ALWAYS_MS);
    row_fields_take_texts(&fields, &count);
    assert_int_equal(count, 0);
    assert_int_equal(fields.status, STATUS_OK);
}

static void after_a_wrong_field_nothing_is_read(void **state) {
    (void)state;
    const struct bytes row[] = {FIELD("\2"), FIELD("\1")};
    struct row_fields fields = row_fields_of(row, &arena);
    assert_false(row_fields_take_bool(&fields));
    assert_int_equal(fields.status, STATUS_MALFORMED);
    assert_false(row_fields_take_bool(&fields));
    assert_true(uuid_is_zero(row_fields_take_uuid(&fields)));
    assert_int_equal(fields.status, STATUS_MALFORMED);
}

static void every_type_refuses_a_null_and_a_wrong_length(void **state) {
    (void)state;
    const struct bytes rows[] = {BYTES_EMPTY, FIELD("abc")};
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        for (int type = 0; type < 6; type++) {
            struct row_fields fields = row_fields_of(&rows[i], &arena);
            switch (type) {
            case 0: row_fields_take_bool(&fields); break;
            case 1: row_fields_take_char(&fields); break;
            case 2: row_fields_take_int16(&fields); break;
            case 3: row_fields_take_uuid(&fields); break;
            case 4: row_fields_take_digest(&fields); break;
            default: row_fields_take_prefix(&fields); break;
            }
            assert_int_equal(fields.status, STATUS_MALFORMED);
        }
}

static void arrays_are_read_whole(void **state) {
    (void)state;
    const struct bytes row[] = {FIELD(ARRAY_OF("\2", TEXT_TYPE) "\0\0\0\1a\0\0\0\2bc"),
                                FIELD(ARRAY_OF("\1", UUID_TYPE) "\0\0\0\x10"
                                                                "0123456789abcdef"),
                                FIELD("\0\0\0\0\0\0\0\0\0\0" TEXT_TYPE)};
    struct row_fields fields = row_fields_of(row, &arena);
    size_t count;
    const struct bytes *texts = row_fields_take_texts(&fields, &count);
    assert_int_equal(count, 2);
    assert_true(bytes_is_text(texts[0], "a") && bytes_is_text(texts[1], "bc"));
    const struct uuid *uuids = row_fields_take_uuids(&fields, &count);
    assert_int_equal(count, 1);
    assert_memory_equal(uuids[0].bytes, "0123456789abcdef", 16);
    row_fields_take_texts(&fields, &count);
    assert_int_equal(count, 0);
    assert_int_equal(fields.status, STATUS_OK);
}

static void an_array_of_another_type_is_refused(void **state) {
    (void)state;
    const struct bytes row[] = {FIELD(ARRAY_OF("\1", UUID_TYPE) "\0\0\0\x10"
                                                                "0123456789abcdef")};
    struct row_fields fields = row_fields_of(row, &arena);
    size_t count;
    row_fields_take_texts(&fields, &count);
    assert_int_equal(count, 0);
    assert_int_equal(fields.status, STATUS_MALFORMED);
}

static void a_null_among_texts_is_refused(void **state) {
    (void)state;
    const struct bytes row[] = {FIELD(ARRAY_OF("\1", TEXT_TYPE) "\xff\xff\xff\xff")};
    struct row_fields fields = row_fields_of(row, &arena);
    size_t count;
    row_fields_take_texts(&fields, &count);
    assert_int_equal(fields.status, STATUS_MALFORMED);
}

// ::ffff:10.0.0.0/104, which only a hand could have written: dropped, the list would let everybody in.
static void an_address_that_can_not_be_read_lets_nobody_in(void **state) {
    (void)state;
    const struct bytes row[] = {FIELD(ARRAY_OF("\1", CIDR_TYPE) "\0\0\0\x14"
                                                                "\3\x68\1\x10"
                                                                "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\0")};
    struct row_fields fields = row_fields_of(row, &arena);
    size_t count;
    const struct ip_prefix *prefixes = row_fields_take_prefixes(&fields, &count);
    assert_int_equal(fields.status, STATUS_OK);
    assert_int_equal(count, 1);
    struct ip_address unspecified;
    assert_int_equal(ip_address_parse(BYTES_LITERAL("::"), &unspecified), IP_PARSE_OK);
    struct ip_prefix wanted = ip_prefix_of(&unspecified, 128);
    assert_int_equal(ip_prefix_compare(&prefixes[0], &wanted), 0);
}

static bool take_array(void *context) {
    (void)context;
    const struct bytes row[] = {FIELD(ARRAY_OF("\1", TEXT_TYPE) "\0\0\0\1a")};
    struct arena own;
    arena_init(&own, 0);
    struct row_fields fields = row_fields_of(row, &own);
    size_t count;
    row_fields_take_texts(&fields, &count);
    arena_fini(&own);
    return fields.status == STATUS_OK;
}

static void without_memory_the_row_has_failed(void **state) {
    (void)state;
    assert_int_equal(allocation_failure_try_each(take_array, NULL), 1);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(fields_are_taken_in_order),
        CASE(nulls_are_what_was_asked_for),
        CASE(after_a_wrong_field_nothing_is_read),
        CASE(every_type_refuses_a_null_and_a_wrong_length),
        CASE(arrays_are_read_whole),
        CASE(an_array_of_another_type_is_refused),
        CASE(a_null_among_texts_is_refused),
        CASE(an_address_that_can_not_be_read_lets_nobody_in),
        CASE(without_memory_the_row_has_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
