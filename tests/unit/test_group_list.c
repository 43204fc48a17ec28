// Groups among grants: which one is around which, what two lists share, and what one lacks.
#include <string.h>

#include "common/access/group_list.h"
#include "tests/unit/unit.h"

static const struct permission_definition definitions[] = {
    {{(const uint8_t *)"charges.create", 14}, false},   {{(const uint8_t *)"charges.eu.read", 15}, false},
    {{(const uint8_t *)"chargesback.read", 16}, false}, {{(const uint8_t *)"latchkey.operate", 16}, true},
    {{(const uint8_t *)"refunds.create", 14}, false},
};

// Grants of which a bit each makes a list.
static const char *const grants[] = {"charges.*", "charges.eu.*", "refunds.*", "charges.create",
                                     "refunds.create"};
enum { GRANT_COUNT = 5, GROUP_COUNT = 3 };

static struct arena arena;
static struct fault fault;
static struct permission_catalogue *catalogue;

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

static struct group_list list_of(unsigned bits) {
    struct bytes *some = ARENA_NEW_ARRAY(&arena, struct bytes, GRANT_COUNT);
    struct group_list list;
    size_t count = 0;
    assert_non_null(some);
    for (unsigned i = 0; i < GRANT_COUNT; i++)
        if (bits >> i & 1)
            some[count++] = bytes_of_text(grants[i]);
    assert_true(group_list_pick(some, count, &arena, &list));
    return list;
}

// What the list says of permissions to come, asked one by one: of charges, of charges.eu, of refunds.
static unsigned get_future(const struct group_list *list) {
    unsigned future = 0;
    for (unsigned i = 0; i < GROUP_COUNT; i++)
        future |= (unsigned)group_list_has(list, bytes_of_text(grants[i])) << i;
    return future;
}

static void names_are_no_groups_and_an_outer_group_has_the_inner(void **state) {
    (void)state;
    for (unsigned bits = 0; bits < 1 << GRANT_COUNT; bits++) {
        struct group_list list = list_of(bits);
        unsigned groups = bits & 7;
        assert_int_equal(get_future(&list), groups & 1 ? groups | 2 : groups);
    }
}

static void a_group_is_another_one_at_the_border_of_a_part_alone(void **state) {
    (void)state;
    struct group_list list = list_of(1);
    assert_false(group_list_has(&list, BYTES_LITERAL("chargesback.*")));
    assert_false(group_list_has(&list, BYTES_LITERAL("charge.*")));
    assert_true(group_list_has(&list, BYTES_LITERAL("charges.eu.west.*")));
}

static void what_two_lists_share_and_have_together_is_what_each_says(void **state) {
    (void)state;
    for (unsigned pair = 0; pair < 64; pair++) {
        struct group_list a = list_of(pair & 7), b = list_of(pair >> 3), both = a, shared;
        assert_true(group_list_intersect(&a, &b, &arena, &shared));
        assert_int_equal(get_future(&shared), get_future(&a) & get_future(&b));
        assert_true(group_list_unite(&both, &b, &arena));
        assert_int_equal(get_future(&both), get_future(&a) | get_future(&b));
        assert_int_equal(group_list_is_equal(&a, &b), get_future(&a) == get_future(&b));
    }
}

static void what_both_lists_have_is_shared_once(void **state) {
    (void)state;
    struct group_list list = list_of(7), shared;
    assert_true(group_list_intersect(&list, &list, &arena, &shared));
    assert_int_equal(shared.count, 3);
}

static void what_is_lacking_is_told_with_what_of_it_there_is_today(void **state) {
    (void)state;
    struct group_list wanted = list_of(7), held = list_of(2);
    const char *names = NULL;
    const char *excess = group_list_describe_excess(catalogue, &wanted, &held, &arena, &fault, &names);
    assert_string_equal(excess, "charges.*, refunds.*");
    assert_string_equal(names, "charges.create, charges.eu.read, refunds.create");
    assert_null(group_list_describe_excess(catalogue, &wanted, &wanted, &arena, &fault, &names));
    assert_int_equal(fault.status, STATUS_OK);
}

static void twenty_groups_are_named_and_the_rest_is_told(void **state) {
    (void)state;
    struct bytes many[25];
    const struct group_list wanted = {many, 25}, held = {0};
    const char *names;
    for (size_t i = 0; i < 25; i++)
        many[i] = bytes_of_text(arena_format(&arena, "r%zu.*", i));
    const char *excess = group_list_describe_excess(catalogue, &wanted, &held, &arena, &fault, &names);
    assert_non_null(strstr(excess, "r19.*, more"));
    assert_null(strstr(excess, "r20.*"));
    assert_string_equal(names, "");
}

static void an_administrator_has_the_group_of_each_resource_once(void **state) {
    (void)state;
    struct group_list list;
    assert_true(permission_catalogue_list_administrator_groups(catalogue, &arena, &list.groups, &list.count));
    const char *const wanted[] = {"charges.*", "chargesback.*",
                                  "refunds.*"}; // what only the operator may: no
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(bytes_is_text(list.groups[i], wanted[i]));
}

static void running_out_of_memory_is_told_whenever_it_happens(void **state) {
    (void)state;
    struct group_list wanted = list_of(7), held = list_of(2);
    const char *excess = NULL;
    for (size_t limit = 1; !excess; limit++) {
        struct arena small;
        const char *names;
        arena_init(&small, limit);
        fault_init(&fault, &arena);
        excess = group_list_describe_excess(catalogue, &wanted, &held, &small, &fault, &names);
        assert_int_equal(fault.status, excess ? fault.status : STATUS_NO_MEMORY);
        if (fault.status == STATUS_NO_MEMORY)
            excess = NULL; // the names did not fit
        arena_fini(&small);
        assert_true(limit < 100000);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(names_are_no_groups_and_an_outer_group_has_the_inner),
        TEST(a_group_is_another_one_at_the_border_of_a_part_alone),
        TEST(what_two_lists_share_and_have_together_is_what_each_says),
        TEST(what_both_lists_have_is_shared_once),
        TEST(what_is_lacking_is_told_with_what_of_it_there_is_today),
        TEST(twenty_groups_are_named_and_the_rest_is_told),
        TEST(an_administrator_has_the_group_of_each_resource_once),
        TEST(running_out_of_memory_is_told_whenever_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
