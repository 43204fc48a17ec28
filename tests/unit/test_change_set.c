// What a run of changes is summed up to.
#include <string.h>

#include "services/validator/change_set.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static struct uuid id(uint8_t number) {
    return (struct uuid){{[0] = number}};
}

static struct change change_of(const char *kind, const struct uuid *objects, size_t count) {
    return (struct change){.kind = bytes_of_text(kind),
                           .company_id = id(200),
                           .list_id = id(100),
                           .objects = objects,
                           .object_count = count};
}

static void add(struct change_set *set, const char *kind, const struct uuid *objects, size_t count) {
    struct change change = change_of(kind, objects, count);
    assert_int_equal(change_set_add(set, &change), STATUS_OK);
}

static void expect_ids(const struct change_set *set, enum change_scope scope, const struct uuid *wanted,
                       size_t wanted_count) {
    size_t count;
    const struct uuid *ids = change_set_get_ids(set, scope, &count);
    assert_int_equal(count, wanted_count);
    if (count > 0)
        assert_memory_equal(ids, wanted, count * sizeof(*ids));
}

static void nothing_is_in_an_empty_set(void **state) {
    (void)state;
    struct change_set set = {0};
    assert_int_equal(change_set_finish(&set), STATUS_OK);
    for (enum change_scope scope = 0; scope < CHANGE_SCOPES; scope++)
        expect_ids(&set, scope, NULL, 0);
    assert_false(set.has_catalogue);
    assert_false(change_set_has(&set, CHANGE_TOKENS, &(struct uuid){{0}}));
    change_set_fini(&set);
}

static void each_id_is_kept_once_and_in_order(void **state) {
    (void)state;
    struct change_set set = {0};
    const struct uuid first[] = {id(9), id(3)}, second[] = {id(3), id(1), id(9), id(9)};
    add(&set, "token", first, 2);
    add(&set, "token", second, 4);
    assert_int_equal(change_set_finish(&set), STATUS_OK);
    expect_ids(&set, CHANGE_TOKENS, (struct uuid[]){id(1), id(3), id(9)}, 3);
    expect_ids(&set, CHANGE_TOKENS_OF, NULL, 0);
    assert_true(change_set_has(&set, CHANGE_TOKENS, &second[1]));
    assert_false(change_set_has(&set, CHANGE_MEMBERS, &second[1]));
    change_set_fini(&set);
}

static void a_kind_without_objects_is_all_that_the_company_has(void **state) {
    (void)state;
    static const struct {
        const char *kind;
        enum change_scope objects, all;
    } kinds[] = {{"token", CHANGE_TOKENS, CHANGE_TOKENS_OF},
                 {"member", CHANGE_MEMBERS, CHANGE_MEMBERS_OF},
                 {"role", CHANGE_ROLES, CHANGE_ROLES_OF}};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        struct change_set set = {0};
        const struct uuid object = id(7), company = id(200);
        add(&set, kinds[i].kind, NULL, 0);
        add(&set, kinds[i].kind, &object, 1);
        assert_int_equal(change_set_finish(&set), STATUS_OK);
        expect_ids(&set, kinds[i].all, &company, 1);
        expect_ids(&set, kinds[i].objects, &object, 1);
        change_set_fini(&set);
    }
}

static void companies_and_whitelists_are_known_by_the_company(void **state) {
    (void)state;
    struct change_set set = {0};
    const struct uuid object = id(7), company = id(200);
    add(&set, "company", &object, 1);
    add(&set, "company", NULL, 0);
    add(&set, "whitelist", &object, 1);
    assert_int_equal(change_set_finish(&set), STATUS_OK);
    expect_ids(&set, CHANGE_COMPANIES, &company, 1);
    expect_ids(&set, CHANGE_WHITELISTS, &company, 1);
    change_set_fini(&set);
}

static void entries_name_their_list_and_its_company(void **state) {
    (void)state;
    struct change_set set = {0};
    const struct uuid object = id(7), company = id(200), list = id(100);
    add(&set, "whitelist_entry", &object, 1);
    add(&set, "whitelist_entry", NULL, 0);
    assert_int_equal(change_set_finish(&set), STATUS_OK);
    expect_ids(&set, CHANGE_LISTS, &list, 1);
    expect_ids(&set, CHANGE_LISTS_OF, &company, 1);
    assert_true(change_set_has(&set, CHANGE_LISTS, &list));
    assert_false(change_set_has(&set, CHANGE_LISTS, &object));
    change_set_fini(&set);
}

static void the_catalogue_is_one_thing_and_an_origin_is_nothing(void **state) {
    (void)state;
    struct change_set set = {0};
    add(&set, "origin", NULL, 0);
    assert_false(set.has_catalogue);
    add(&set, "permission", NULL, 0);
    assert_int_equal(change_set_finish(&set), STATUS_OK);
    assert_true(set.has_catalogue);
    for (enum change_scope scope = 0; scope < CHANGE_SCOPES; scope++)
        expect_ids(&set, scope, NULL, 0);
    change_set_fini(&set);
}

static void a_kind_of_a_later_release_can_not_be_followed(void **state) {
    (void)state;
    struct change_set set = {0};
    struct change change = change_of("tokens", NULL, 0);
    assert_int_equal(change_set_add(&set, &change), STATUS_INVALID);
    change_set_fini(&set);
}

static bool sum_up(void *context) {
    (void)context;
    struct change_set set = {0};
    bool is_added = true;
    for (uint8_t i = 0; i < 100; i++) {
        struct uuid object = id(i);
        struct change change = change_of(i % 2 ? "token" : "member", &object, 1);
        is_added = is_added && change_set_add(&set, &change) == STATUS_OK;
    }
    bool is_finished = change_set_finish(&set) == STATUS_OK;
    change_set_fini(&set);
    return is_added && is_finished;
}

static void without_memory_it_is_not_finished(void **state) {
    (void)state;
    assert_true(allocation_failure_try_each(sum_up, NULL) > 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_in_an_empty_set),
        cmocka_unit_test(each_id_is_kept_once_and_in_order),
        cmocka_unit_test(a_kind_without_objects_is_all_that_the_company_has),
        cmocka_unit_test(companies_and_whitelists_are_known_by_the_company),
        cmocka_unit_test(entries_name_their_list_and_its_company),
        cmocka_unit_test(the_catalogue_is_one_thing_and_an_origin_is_nothing),
        cmocka_unit_test(a_kind_of_a_later_release_can_not_be_followed),
        cmocka_unit_test(without_memory_it_is_not_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
