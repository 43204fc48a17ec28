// Fields of COPY rows: what is of its type is read, the first that is not spoils the rest, and a list that
// can't be read never becomes none.
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/db/type.h"
#include "services/validator/image/row_fields.h"
#include "tests/unit/unit.h"

struct stage {
    struct arena arena;
    struct buffer array;
};

static int set_up(void **state) {
    static struct stage stage;
    stage = (struct stage){0};
    arena_init(&stage.arena, 0);
    *state = &stage;
    return 0;
}

static int tear_down(void **state) {
    struct stage *stage = *state;
    buffer_fini(&stage->array);
    arena_fini(&stage->arena);
    return 0;
}

static void append_u32(struct buffer *to, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        buffer_append_byte(to, (uint8_t)(value >> shift));
}

// PostgreSQL's binary array of one dimension; an element without data is NULL.
static struct bytes make_array(struct stage *stage, uint32_t type, const struct bytes *elements,
                               uint32_t count) {
    buffer_fini(&stage->array);
    stage->array = (struct buffer){0};
    append_u32(&stage->array, 1);
    append_u32(&stage->array, 0);
    append_u32(&stage->array, type);
    append_u32(&stage->array, count);
    append_u32(&stage->array, 1);
    for (uint32_t i = 0; i < count; i++) {
        append_u32(&stage->array, elements[i].data ? (uint32_t)elements[i].len : UINT32_MAX);
        buffer_append(&stage->array, elements[i]);
    }
    assert_false(stage->array.failed);
    return buffer_get_bytes(&stage->array);
}

static const struct bytes ten = BYTES_LITERAL("\x02\x08\x01\x04\x0a\0\0\0"); // 10.0.0.0/8
static const struct bytes mapped =
    BYTES_LITERAL("\x03\x80\x01\x10\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01"); // by hand: no cast makes it

static void values_of_their_types_are_read_one_after_the_other(void **state) {
    struct stage *stage = *state;
    static const struct bytes row[] = {
        BYTES_LITERAL("\1"),
        BYTES_LITERAL("x"),
        BYTES_LITERAL("\xff\xfe"),
        BYTES_LITERAL("0123456789abcdef"),
        BYTES_EMPTY,
        BYTES_LITERAL("\0\0\0\0\0\0\x03\xe8"),
        BYTES_EMPTY,
        BYTES_LITERAL("0123456789abcdef0123456789abcdef"),
        BYTES_LITERAL(""),
        BYTES_LITERAL("\x02\x08\x01\x04\x0a\0\0\0"),
    };
    struct row_fields fields = row_fields_of(row, &stage->arena);
    assert_true(row_fields_take_bool(&fields));
    assert_int_equal(row_fields_take_char(&fields), 'x');
    assert_int_equal(row_fields_take_int16(&fields), -2);
    assert_memory_equal(row_fields_take_uuid(&fields).bytes, "0123456789abcdef", 16);
    assert_true(uuid_is_zero(row_fields_take_uuid_or_zero(&fields)));
    assert_int_equal(row_fields_take_time_ms(&fields, 7), INT64_C(946684800001)); // 2000-01-01, 1 ms
    assert_int_equal(row_fields_take_time_ms(&fields, CLOCK_NEVER_MS), CLOCK_NEVER_MS);
    assert_memory_equal(row_fields_take_digest(&fields).bytes, row[7].data, DIGEST_LENGTH);
    assert_int_equal(row_fields_take_text(&fields).len, 0);
    assert_int_equal(row_fields_take_prefix(&fields).bits, 8);
    assert_int_equal(fields.status, STATUS_OK);
}

static void the_first_wrong_value_spoils_all_that_follow(void **state) {
    struct stage *stage = *state;
    static const struct bytes row[] = {BYTES_LITERAL("\1\1"), BYTES_LITERAL("\1")};
    struct row_fields fields = row_fields_of(row, &stage->arena);
    assert_false(row_fields_take_bool(&fields));
    assert_int_equal(fields.status, STATUS_MALFORMED);
    assert_false(row_fields_take_bool(&fields));
    assert_int_equal(row_fields_take_int16(&fields), 0);
    assert_int_equal(row_fields_take_time_ms(&fields, CLOCK_NEVER_MS), CLOCK_NEVER_MS);
    size_t count = 1;
    assert_null(row_fields_take_prefixes(&fields, &count));
    assert_int_equal(count, 0);
    assert_int_equal(fields.status, STATUS_MALFORMED);
}

static void null_is_refused_where_a_value_must_be(void **state) {
    struct stage *stage = *state;
    static const struct bytes row[] = {BYTES_EMPTY};
    struct row_fields fields = row_fields_of(row, &stage->arena);
    row_fields_take_text(&fields);
    assert_int_equal(fields.status, STATUS_MALFORMED);
    fields = row_fields_of(row, &stage->arena);
    row_fields_take_digest(&fields);
    assert_int_equal(fields.status, STATUS_MALFORMED);
    fields = row_fields_of(row, &stage->arena);
    row_fields_take_uuid(&fields);
    assert_int_equal(fields.status, STATUS_MALFORMED);
}

static void lists_are_read_in_their_order(void **state) {
    struct stage *stage = *state;
    const struct bytes texts[] = {BYTES_LITERAL("a"), BYTES_LITERAL(""), BYTES_LITERAL("ccc")};
    struct bytes row[] = {make_array(stage, DB_TYPE_TEXT, texts, 3)};
    struct row_fields fields = row_fields_of(row, &stage->arena);
    size_t count;
    const struct bytes *read = row_fields_take_texts(&fields, &count);
    assert_int_equal(fields.status, STATUS_OK);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(bytes_is_equal(read[i], texts[i]));

    const struct bytes uuids[] = {BYTES_LITERAL("0123456789abcdef"), BYTES_LITERAL("fedcba9876543210")};
    row[0] = make_array(stage, DB_TYPE_UUID, uuids, 2);
    fields = row_fields_of(row, &stage->arena);
    const struct uuid *ids = row_fields_take_uuids(&fields, &count);
    assert_int_equal(fields.status, STATUS_OK);
    assert_int_equal(count, 2);
    assert_memory_equal(ids[1].bytes, "fedcba9876543210", 16);
}

static void a_null_or_wrong_element_of_a_list_spoils_the_row(void **state) {
    struct stage *stage = *state;
    const struct bytes texts[] = {BYTES_LITERAL("a"), BYTES_EMPTY};
    struct bytes row[] = {make_array(stage, DB_TYPE_TEXT, texts, 2)};
    struct row_fields fields = row_fields_of(row, &stage->arena);
    size_t count;
    row_fields_take_texts(&fields, &count);
    assert_int_equal(fields.status, STATUS_MALFORMED);
    row[0] = make_array(stage, DB_TYPE_UUID, texts, 1);
    fields = row_fields_of(row, &stage->arena);
    row_fields_take_uuids(&fields, &count);
    assert_int_equal(fields.status, STATUS_MALFORMED);
}

static void a_prefix_that_cannot_be_read_is_one_of_nobody_and_not_none(void **state) {
    struct stage *stage = *state;
    const struct bytes prefixes[] = {mapped, ten, BYTES_EMPTY};
    for (uint32_t count = 1; count <= 3; count++) {
        struct bytes row[] = {make_array(stage, DB_TYPE_CIDR, prefixes, count)};
        struct row_fields fields = row_fields_of(row, &stage->arena);
        size_t read_count;
        const struct ip_prefix *read = row_fields_take_prefixes(&fields, &read_count);
        assert_int_equal(fields.status, STATUS_OK);
        assert_int_equal(read_count, count);
        struct ip_address inside = {.family = IP_FAMILY_V4, .bytes = {10, 0, 0, 1}};
        assert_false(ip_prefix_contains_address(&read[0], &inside));
        const char *const anybody[] = {"::", "::ffff:0.0.0.0", "0.0.0.0", "::ffff:10.0.0.1"};
        for (size_t i = 0; i < ARRAY_LENGTH(anybody); i++) {
            struct ip_address address;
            assert_int_equal(ip_address_parse(bytes_of_text(anybody[i]), &address), IP_PARSE_OK);
            assert_false(ip_prefix_contains_address(&read[0], &address));
        }
        if (count > 1)
            assert_true(ip_prefix_contains_address(&read[1], &inside));
    }
}

static void an_array_that_is_cut_or_of_another_type_spoils_the_row(void **state) {
    struct stage *stage = *state;
    const struct bytes prefixes[] = {ten, ten};
    struct bytes whole = make_array(stage, DB_TYPE_CIDR, prefixes, 2);
    for (size_t len = 0; len <= whole.len; len++) {
        struct bytes row[] = {bytes_of(whole.data, len)};
        struct row_fields fields = row_fields_of(row, &stage->arena);
        size_t count;
        row_fields_take_prefixes(&fields, &count);
        assert_int_equal(fields.status, len == whole.len ? STATUS_OK : STATUS_MALFORMED);
    }
    struct bytes row[] = {make_array(stage, DB_TYPE_INET, prefixes, 2)};
    struct row_fields fields = row_fields_of(row, &stage->arena);
    size_t count;
    row_fields_take_prefixes(&fields, &count);
    assert_int_equal(fields.status, STATUS_MALFORMED);
    assert_int_equal(count, 0);
}

static void a_list_for_which_there_is_no_memory_is_told(void **state) {
    struct stage *stage = *state;
    const struct bytes prefixes[] = {ten, ten};
    struct bytes row[] = {make_array(stage, DB_TYPE_CIDR, prefixes, 2)};
    struct arena small;
    arena_init(&small, 16);
    struct row_fields fields = row_fields_of(row, &small);
    size_t count;
    assert_null(row_fields_take_prefixes(&fields, &count));
    assert_int_equal(fields.status, STATUS_NO_MEMORY);
    arena_fini(&small);
}

#define STAGED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGED(values_of_their_types_are_read_one_after_the_other),
        STAGED(the_first_wrong_value_spoils_all_that_follow),
        STAGED(null_is_refused_where_a_value_must_be),
        STAGED(lists_are_read_in_their_order),
        STAGED(a_null_or_wrong_element_of_a_list_spoils_the_row),
        STAGED(a_prefix_that_cannot_be_read_is_one_of_nobody_and_not_none),
        STAGED(an_array_that_is_cut_or_of_another_type_spoils_the_row),
        STAGED(a_list_for_which_there_is_no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
