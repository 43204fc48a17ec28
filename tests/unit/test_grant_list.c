// Grants as typed: what covers nothing is named with the nearest that there is, and what is too much is told.
#include <stdio.h>

#include "common/access/grant_list.h"
#include "tests/unit/unit.h"

static const struct permission_definition definitions[] = {
    {{(const uint8_t *)"charges.create", 14}, false},
    {{(const uint8_t *)"charges.read", 12}, false},
    {{(const uint8_t *)"refunds.create", 14}, false},
    {{(const uint8_t *)"latchkey.operate", 16}, true},
};

static struct arena arena;
static struct fault fault;
static struct permission_catalogue *catalogue;
static struct grant_list list;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    catalogue = permission_catalogue_new(NULL, definitions, ARRAY_LENGTH(definitions));
    return catalogue ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    permission_catalogue_free(catalogue);
    arena_fini(&arena);
    return 0;
}

static void parse(const char *const *texts, size_t count) {
    struct grant_list_terms terms = {catalogue, 3, "permissions"};
    grant_list_parse((char *const *)texts, count, &terms, &arena, &fault, &list);
}

static bool covers(const char *name) {
    return permission_set_has(list.covered, permission_catalogue_find_id(catalogue, bytes_of_text(name)));
}

static void names_and_groups_cover_what_they_say(void **state) {
    (void)state;
    const char *texts[] = {"charges.*", "latchkey.operate"};
    parse(texts, ARRAY_LENGTH(texts));
    assert_int_equal(fault.status, STATUS_OK);
    assert_int_equal(list.count, 2);
    assert_true(bytes_is_text(list.grants[0], "charges.*"));
    assert_true(covers("charges.create") && covers("charges.read") && covers("latchkey.operate"));
    assert_false(covers("refunds.create"));
}

static void what_covers_nothing_is_named_with_the_nearest_that_there_is(void **state) {
    (void)state;
    const char *texts[] = {"charges.craete", "charges.read", "Charges"};
    parse(texts, ARRAY_LENGTH(texts));
    assert_int_equal(fault.status, STATUS_INVALID);
    assert_int_equal(fault.field_count, 2);
    assert_string_equal(fault.fields->field, "permissions[0]");
    assert_non_null(strstr(fault.fields->description, "did you mean charges.create?"));
    assert_string_equal(fault.last_field->field, "permissions[2]");
    assert_memory_equal(fault.last_field->description, "type a permission", 17);
}

static void a_list_that_is_too_long_is_refused_as_a_whole(void **state) {
    (void)state;
    const char *texts[] = {"x", "x", "x", "x"};
    parse(texts, ARRAY_LENGTH(texts));
    assert_int_equal(fault.field_count, 1);
    assert_string_equal(fault.fields->field, "permissions");
    assert_null(list.covered);
}

static void what_is_too_much_is_told_by_name(void **state) {
    (void)state;
    const char *held[] = {"charges.read"}, *wanted[] = {"charges.*", "refunds.create"};
    parse(held, ARRAY_LENGTH(held));
    struct permission_set *held_set = list.covered;
    parse(wanted, ARRAY_LENGTH(wanted));
    assert_string_equal(grant_list_describe_excess(catalogue, list.covered, held_set, &arena, &fault),
                        "charges.create, refunds.create");
    assert_null(grant_list_describe_excess(catalogue, held_set, list.covered, &arena, &fault));
    assert_null(grant_list_describe_excess(catalogue, NULL, NULL, &arena, &fault));
    assert_int_equal(fault.status, STATUS_OK);
}

static void of_a_long_list_twenty_names_are_told(void **state) {
    (void)state;
    struct permission_definition many[30];
    char names[30][20];
    for (int i = 0; i < 30; i++) {
        snprintf(names[i], sizeof(names[i]), "many.p%02d", i);
        many[i] = (struct permission_definition){bytes_of_text(names[i]), false};
    }
    permission_catalogue_free(catalogue);
    catalogue = permission_catalogue_new(NULL, many, ARRAY_LENGTH(many));
    const char *all[] = {"many.*"};
    parse(all, ARRAY_LENGTH(all));
    const char *told = grant_list_describe_excess(catalogue, list.covered, NULL, &arena, &fault);
    assert_non_null(strstr(told, "many.p19, more"));
    assert_null(strstr(told, "many.p20"));
}

static void running_out_of_memory_is_told_whenever_it_happens(void **state) {
    (void)state;
    const char *texts[] = {"charges.*", "refunds.create"};
    struct grant_list_terms terms = {catalogue, 3, "permissions"};
    bool is_done = false;
    for (size_t limit = 1; !is_done; limit++) {
        struct arena small;
        arena_init(&small, limit);
        fault_init(&fault, &arena);
        grant_list_parse((char *const *)texts, 2, &terms, &small, &fault, &list);
        const char *excess = fault.status == STATUS_OK
                                 ? grant_list_describe_excess(catalogue, list.covered, NULL, &small, &fault)
                                 : NULL;
        is_done = fault.status == STATUS_OK;
        assert_true(is_done ? excess != NULL : fault.status == STATUS_NO_MEMORY);
        arena_fini(&small);
        assert_true(limit < 100000);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(names_and_groups_cover_what_they_say),
        TEST(what_covers_nothing_is_named_with_the_nearest_that_there_is),
        TEST(a_list_that_is_too_long_is_refused_as_a_whole),
        TEST(what_is_too_much_is_told_by_name),
        TEST(of_a_long_list_twenty_names_are_told),
        TEST(running_out_of_memory_is_told_whenever_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
