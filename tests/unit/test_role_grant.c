// Nobody gives a role that lets do more than he may: what roles let do, and the rule over every set of four
// permissions.
#include <string.h>

#include "services/invitation/role_grant.h"
#include "tests/unit/unit.h"

static const struct permission_definition definitions[] = {
    {{(const uint8_t *)"charges.create", 14}, false},
    {{(const uint8_t *)"charges.read", 12}, false},
    {{(const uint8_t *)"refunds.create", 14}, false},
    {{(const uint8_t *)"latchkey.operate", 16}, true},
};
#define PERMISSION_COUNT 4

static struct arena arena;
static struct fault fault;
static struct permission_catalogue *catalogue;
static struct caller caller;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    catalogue = permission_catalogue_new(NULL, definitions, PERMISSION_COUNT);
    caller = (struct caller){.catalogue = catalogue};
    return catalogue ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    permission_catalogue_free(catalogue);
    arena_fini(&arena);
    return 0;
}

// Those of the definitions whose bits are set.
static struct permission_set *set_of(unsigned bits) {
    struct permission_set *set =
        permission_set_new_in_arena(&arena, permission_catalogue_get_limit(catalogue));
    assert_non_null(set);
    for (unsigned i = 0; i < PERMISSION_COUNT; i++)
        if (bits >> i & 1)
            permission_set_add(set, permission_catalogue_find_id(catalogue, definitions[i].name));
    return set;
}

static void let_caller_do(unsigned bits) {
    caller.subject =
        (struct access_subject){.kind = TOKEN_KIND_ACCESS, .is_company_owned = true, .granted = set_of(bits)};
}

static struct role role_with(unsigned bits, uint8_t id) {
    struct role role = {.name = "worker", .role_id = {{id}}};
    role.grants = ARENA_NEW_ARRAY(&arena, struct bytes, PERMISSION_COUNT);
    assert_non_null(role.grants);
    for (unsigned i = 0; i < PERMISSION_COUNT; i++)
        if (bits >> i & 1)
            role.grants[role.grant_count++] = definitions[i].name;
    return role;
}

static void a_role_is_given_exactly_where_it_lets_do_no_more(void **state) {
    (void)state;
    for (unsigned held = 0; held < 1 << PERMISSION_COUNT; held++) {
        for (unsigned wanted = 0; wanted < 1 << PERMISSION_COUNT; wanted++) {
            struct role role = role_with(wanted, 1);
            struct role_list present = {.roles = &role, .count = 1};
            struct role_ids ids = {&role.role_id, 1};
            let_caller_do(held);
            fault_init(&fault, &arena);
            enum status status = role_check_grant(&ids, &present, &caller, &arena, &fault);
            assert_int_equal(status, wanted & ~held ? STATUS_PERMISSION_DENIED : STATUS_OK);
            assert_int_equal(status, fault.status);
        }
    }
}

static void what_was_there_before_may_stay(void **state) {
    (void)state;
    for (unsigned bits = 0; bits < 1 << (3 * PERMISSION_COUNT); bits += 7) { // a sample of all three sets
        unsigned held = bits & 15, before = bits >> 4 & 15, wanted = bits >> 8 & 15;
        let_caller_do(held);
        fault_init(&fault, &arena);
        enum status status =
            role_check_permissions(set_of(wanted), set_of(before), &caller, "no", &arena, &fault);
        assert_int_equal(status, wanted & ~(held | before) ? STATUS_PERMISSION_DENIED : STATUS_OK);
    }
}

static void the_refusal_names_the_role_and_what_is_too_much(void **state) {
    (void)state;
    struct role role = role_with(7, 1);
    struct role_list present = {.roles = &role, .count = 1};
    struct role_ids ids = {&role.role_id, 1};
    let_caller_do(1);
    assert_int_equal(role_check_grant(&ids, &present, &caller, &arena, &fault), STATUS_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "GRANT_EXCEEDS_CALLER");
    assert_non_null(strstr(fault.message, "worker"));
    assert_string_equal(fault.details->value, "charges.read, refunds.create");
}

static void a_role_that_is_not_there_is_not_found(void **state) {
    (void)state;
    struct role role = role_with(0, 1);
    struct role_list present = {.roles = &role, .count = 1};
    struct uuid wanted[] = {{{1}}, {{2}}};
    struct role_ids ids = {wanted, 2};
    let_caller_do(15);
    assert_int_equal(role_check_grant(&ids, &present, &caller, &arena, &fault), STATUS_NOT_FOUND);
    assert_string_equal(fault.reason, "ROLE_NOT_FOUND");
}

static void the_administrator_may_all_but_what_only_the_operator_may(void **state) {
    (void)state;
    struct role role = {.name = "administrator", .is_built_in = true};
    struct permission_set *set = role_get_permissions(&role, catalogue, &arena);
    assert_true(permission_set_is_equal(set, set_of(7)));
    struct role roles[] = {role_with(1, 1), role_with(4, 2)};
    struct role_list list = {.roles = roles, .count = 2};
    assert_true(permission_set_is_equal(role_list_get_permissions(&list, catalogue, &arena), set_of(5)));
}

static void a_grant_that_the_catalogue_has_lost_lets_do_nothing(void **state) {
    (void)state;
    struct bytes grants[] = {BYTES_LITERAL("charges.lost"), BYTES_LITERAL("gone.*")};
    struct role role = {.name = "worker", .grants = grants, .grant_count = ARRAY_LENGTH(grants)};
    assert_int_equal(permission_set_get_count(role_get_permissions(&role, catalogue, &arena)), 0);
}

static void ids_that_others_have_are_left_out(void **state) {
    (void)state;
    struct uuid some[] = {{{1}}, {{2}}, {{3}}}, others[] = {{{2}}, {{4}}};
    struct role_ids ids = {some, 3}, taken = {others, 2}, rest;
    assert_int_equal(role_ids_subtract(&ids, &taken, &arena, &rest), STATUS_OK);
    assert_int_equal(rest.count, 2);
    assert_true(role_ids_have(&rest, some[0]) && role_ids_have(&rest, some[2]));
    assert_false(role_ids_have(&rest, some[1]));
}

static void running_out_of_memory_is_told_whenever_it_happens(void **state) {
    (void)state;
    struct role role = role_with(3, 1);
    struct role_list present = {.roles = &role, .count = 1};
    struct role_ids ids = {&role.role_id, 1};
    for (unsigned held = 1; held <= 3; held += 2) { // too little, and enough
        enum status status = STATUS_NO_MEMORY, wanted = held == 3 ? STATUS_OK : STATUS_PERMISSION_DENIED;
        let_caller_do(held);
        for (size_t limit = 1; status != wanted; limit++) {
            struct arena small;
            arena_init(&small, limit);
            fault_init(&fault, &arena);
            status = role_check_grant(&ids, &present, &caller, &small, &fault);
            arena_fini(&small);
            assert_true(status == wanted || status == STATUS_NO_MEMORY);
            assert_true(limit < 100000);
        }
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_role_is_given_exactly_where_it_lets_do_no_more),
        TEST(what_was_there_before_may_stay),
        TEST(the_refusal_names_the_role_and_what_is_too_much),
        TEST(a_role_that_is_not_there_is_not_found),
        TEST(the_administrator_may_all_but_what_only_the_operator_may),
        TEST(a_grant_that_the_catalogue_has_lost_lets_do_nothing),
        TEST(ids_that_others_have_are_left_out),
        TEST(running_out_of_memory_is_told_whenever_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
