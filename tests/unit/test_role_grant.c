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

// A caller that holds names alone.
static void let_caller_do(unsigned bits) {
    caller.groups = (struct group_list){0};
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
            enum status status = role_check_grant(&ids, &present, &caller, &fault);
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
            role_check_reach(&(struct reach){.permissions = set_of(wanted)},
                             &(struct reach){.permissions = set_of(before)}, &caller, "no", &arena, &fault);
        assert_int_equal(status, wanted & ~(held | before) ? STATUS_PERMISSION_DENIED : STATUS_OK);
    }
}

static void the_refusal_names_the_role_and_what_is_too_much(void **state) {
    (void)state;
    struct role role = role_with(7, 1);
    struct role_list present = {.roles = &role, .count = 1};
    struct role_ids ids = {&role.role_id, 1};
    let_caller_do(1);
    assert_int_equal(role_check_grant(&ids, &present, &caller, &fault), STATUS_PERMISSION_DENIED);
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
    assert_int_equal(role_check_grant(&ids, &present, &caller, &fault), STATUS_NOT_FOUND);
    assert_string_equal(fault.reason, "ROLE_NOT_FOUND");
}

static void each_role_is_judged_once_for_whoever_gets_it(void **state) {
    (void)state;
    struct role roles[] = {role_with(4, 3), role_with(1, 1), role_with(2, 2)}; // in no order
    struct role_list present = {.roles = roles, .count = ARRAY_LENGTH(roles)};
    struct role_verdicts verdicts;
    let_caller_do(3);
    assert_int_equal(role_judge_grants(&present, &caller, &fault, &verdicts), STATUS_OK);
    for (unsigned bits = 0; bits < 1 << 4; bits++) { // of four roles, the last of which is not there
        struct role_ids ids = {(struct uuid[4]){{{0}}}, 0};
        for (uint8_t i = 0; i < 4; i++)
            if (bits >> i & 1)
                ids.ids[ids.count++] = (struct uuid){{(uint8_t)(i + 1)}};
        fault_init(&fault, &arena);
        enum status status = role_read_verdicts(&ids, &verdicts, &fault);
        assert_int_equal(status, bits & 4   ? STATUS_PERMISSION_DENIED
                                 : bits & 8 ? STATUS_NOT_FOUND
                                            : STATUS_OK);
        assert_int_equal(status, fault.status);
    }
}

static void the_administrator_may_all_but_what_only_the_operator_may(void **state) {
    (void)state;
    struct role role = {.name = "administrator", .is_built_in = true};
    struct permission_set *set = role_get_permissions(&role, catalogue, &arena);
    assert_true(permission_set_is_equal(set, set_of(7)));
    struct role roles[] = {role_with(1, 1), role_with(4, 2)};
    struct role_list list = {.roles = roles, .count = 2};
    struct reach reach;
    assert_true(role_list_get_reach(&list, catalogue, &arena, &reach));
    assert_true(permission_set_is_equal(reach.permissions, set_of(5)));
}

// ---- groups ----

static struct group_list groups_of(struct bytes *groups, size_t count) {
    return (struct group_list){groups, count};
}

static enum status give(struct role *role) {
    struct role_list present = {.roles = role, .count = 1};
    struct role_ids ids = {&role->role_id, 1};
    fault_init(&fault, &arena);
    return role_check_grant(&ids, &present, &caller, &fault);
}

static void a_group_is_given_by_who_holds_the_group_and_not_its_names(void **state) {
    (void)state;
    struct bytes charges = BYTES_LITERAL("charges.*"), around[] = {BYTES_LITERAL("refunds.*"), charges};
    struct role role = {.name = "worker", .grants = &charges, .grant_count = 1};
    let_caller_do(15);
    assert_int_equal(give(&role), STATUS_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "GRANT_EXCEEDS_CALLER");
    assert_string_equal(fault.details->key, "groups");
    assert_string_equal(fault.details->value, "charges.*");
    assert_non_null(strstr(fault.message, "give the names instead: charges.create, charges.read"));
    caller.groups = groups_of(around, 1);
    assert_int_equal(give(&role), STATUS_PERMISSION_DENIED);
    caller.groups = groups_of(around, 2);
    assert_int_equal(give(&role), STATUS_OK);
}

static void the_administrator_is_given_by_who_holds_the_group_of_every_resource(void **state) {
    (void)state;
    struct bytes groups[] = {BYTES_LITERAL("charges.*"), BYTES_LITERAL("refunds.*")};
    struct role role = {.name = "administrator", .is_built_in = true};
    let_caller_do(15);
    assert_int_equal(give(&role), STATUS_PERMISSION_DENIED);
    assert_string_equal(fault.details->value, "charges.*, refunds.*");
    caller.groups = groups_of(groups, 1);
    assert_int_equal(give(&role), STATUS_PERMISSION_DENIED);
    assert_string_equal(fault.details->value, "refunds.*");
    caller.groups = groups_of(groups, 2);
    assert_int_equal(give(&role), STATUS_OK);
}

static void a_group_that_was_there_before_may_stay_and_its_names_do_not_become_one(void **state) {
    (void)state;
    struct bytes group = BYTES_LITERAL("charges.*");
    struct reach wanted, before;
    let_caller_do(15);
    assert_true(reach_of_grants(&group, 1, catalogue, &arena, &wanted));
    assert_int_equal(role_check_reach(&wanted, &wanted, &caller, "no", &arena, &fault), STATUS_OK);
    struct bytes names[] = {BYTES_LITERAL("charges.create"), BYTES_LITERAL("charges.read")};
    assert_true(reach_of_grants(names, 2, catalogue, &arena, &before));
    assert_int_equal(role_check_reach(&wanted, &before, &caller, "no", &arena, &fault),
                     STATUS_PERMISSION_DENIED);
}

static void a_reach_within_another_has_the_inner_groups_of_both(void **state) {
    (void)state;
    struct bytes some[] = {BYTES_LITERAL("charges.*"), BYTES_LITERAL("refunds.create")};
    struct bytes others[] = {BYTES_LITERAL("charges.eu.*"), BYTES_LITERAL("charges.read"),
                             BYTES_LITERAL("refunds.*")};
    struct reach reach, bound;
    assert_true(reach_of_grants(some, 2, catalogue, &arena, &reach));
    assert_true(reach_of_grants(others, 3, catalogue, &arena, &bound));
    assert_true(reach_intersect(&reach, &bound, &arena));
    assert_true(permission_set_is_equal(reach.permissions, set_of(6)));
    assert_int_equal(reach.groups.count, 1);
    assert_true(bytes_is_text(reach.groups.groups[0], "charges.eu.*"));
}

static void a_group_that_the_catalogue_has_lost_may_come_back(void **state) {
    (void)state;
    struct bytes gone = BYTES_LITERAL("gone.*");
    struct role role = {.name = "worker", .grants = &gone, .grant_count = 1};
    let_caller_do(15);
    assert_int_equal(give(&role), STATUS_PERMISSION_DENIED);
    assert_null(strstr(fault.message, "instead"));
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
    struct bytes group = BYTES_LITERAL("charges.*");
    struct role role = {.name = "worker", .role_id = {{1}}, .grants = &group, .grant_count = 1};
    struct role_list present = {.roles = &role, .count = 1};
    struct role_ids ids = {&role.role_id, 1};
    for (unsigned held = 1; held <= 3; held++) { // too little, enough, and the names without the group
        enum status status = STATUS_NO_MEMORY, wanted = held == 2 ? STATUS_OK : STATUS_PERMISSION_DENIED;
        let_caller_do(held == 1 ? 1 : 3);
        caller.groups = groups_of(&group, held == 2);
        for (size_t limit = 1; status != wanted; limit++) {
            struct arena small;
            arena_init(&small, limit);
            fault_init(&fault, &small);
            status = role_check_grant(&ids, &present, &caller, &fault);
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
        TEST(each_role_is_judged_once_for_whoever_gets_it),
        TEST(the_administrator_may_all_but_what_only_the_operator_may),
        TEST(a_grant_that_the_catalogue_has_lost_lets_do_nothing),
        TEST(a_group_is_given_by_who_holds_the_group_and_not_its_names),
        TEST(the_administrator_is_given_by_who_holds_the_group_of_every_resource),
        TEST(a_group_that_was_there_before_may_stay_and_its_names_do_not_become_one),
        TEST(a_reach_within_another_has_the_inner_groups_of_both),
        TEST(a_group_that_the_catalogue_has_lost_may_come_back),
        TEST(ids_that_others_have_are_left_out),
        TEST(running_out_of_memory_is_told_whenever_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
