// What an Update request may name, and what it is told about the rest.
#include "common/protobuf/update_mask.h"
#include "tests/unit/unit.h"

static const char *const fields[] = {"enabled", "scope", "note"};

static struct arena arena;
static struct fault fault;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static uint32_t parse(const char **paths, size_t count) {
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    mask.paths = (char **)paths;
    mask.n_paths = count;
    return update_mask_parse(&mask, fields, ARRAY_LENGTH(fields), &fault);
}

static void each_name_sets_its_bit_once_or_more(void **state) {
    (void)state;
    const char *paths[] = {"note", "enabled", "note"};
    assert_int_equal(parse(paths, ARRAY_LENGTH(paths)), UPDATE_MASK_BIT(0) | UPDATE_MASK_BIT(2));
    assert_int_equal(fault.status, STATUS_OK);
}

static void an_absent_or_empty_mask_is_told_what_there_is(void **state) {
    (void)state;
    assert_int_equal(parse(NULL, 0), 0);
    assert_int_equal(update_mask_parse(NULL, fields, ARRAY_LENGTH(fields), &fault), 0);
    assert_int_equal(fault.status, STATUS_INVALID);
    assert_int_equal(fault.field_count, 2);
    assert_string_equal(fault.fields->field, "update_mask");
    assert_string_equal(fault.fields->description,
                        "name what to change, one or more of: enabled, scope, note");
}

static void every_unknown_name_is_told_and_then_nothing_is_to_be_changed(void **state) {
    (void)state;
    const char *paths[] = {"enabled", "*", "Scope", "note.x", ""};
    assert_int_equal(parse(paths, ARRAY_LENGTH(paths)), 0);
    assert_int_equal(fault.field_count, 4);
    assert_string_equal(fault.fields->field, "update_mask.paths[1]");
    assert_string_equal(fault.fields->description, "type one of: enabled, scope, note");
    assert_string_equal(fault.last_field->field, "update_mask.paths[4]");
}

static void without_memory_it_is_refused_all_the_same(void **state) {
    (void)state;
    const char *paths[] = {"enabled", "*"};
    for (size_t limit = 16; limit < 512; limit += 16) {
        struct arena small;
        arena_init(&small, limit);
        fault_init(&fault, &small);
        assert_int_equal(parse(paths, ARRAY_LENGTH(paths)), 0);
        assert_int_not_equal(fault.status, STATUS_OK);
        arena_fini(&small);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_name_sets_its_bit_once_or_more),
        TEST(an_absent_or_empty_mask_is_told_what_there_is),
        TEST(every_unknown_name_is_told_and_then_nothing_is_to_be_changed),
        TEST(without_memory_it_is_refused_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
