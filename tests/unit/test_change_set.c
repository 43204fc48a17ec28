// What a run of changes asks to be read again, against a table of booleans.
#include <string.h>

#include "services/validator/follow/change_set.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { IDS = 30 };

static struct uuid make_id(size_t number) {
    return (struct uuid){.bytes = {1, (uint8_t)(number * 7), [15] = (uint8_t)number}};
}

// What each kind means, once more.
static const struct {
    const char *name;
    int objects, all; // enum change_scope; the same: the company's id whatever the objects
} kinds[] = {
    {"company", CHANGE_COMPANIES, CHANGE_COMPANIES},
    {"whitelist", CHANGE_WHITELISTS, CHANGE_WHITELISTS},
    {"whitelist_entry", CHANGE_LISTS_OF, CHANGE_LISTS_OF},
    {"role", CHANGE_ROLES, CHANGE_ROLES_OF},
    {"member", CHANGE_MEMBERS, CHANGE_MEMBERS_OF},
    {"token", CHANGE_TOKENS, CHANGE_TOKENS_OF},
};

struct table {
    bool is_named[CHANGE_SCOPES][IDS];
    bool has_prefix[IDS][IDS]; // of lists
};

static struct ip_prefix make_prefix(size_t number) {
    struct ip_address address = {.family = IP_FAMILY_V4, .bytes = {10, (uint8_t)(number * 7)}};
    return ip_prefix_of(&address, 16);
}

static void add_one(struct seed *seed, struct change_set *set, struct table *table) {
    size_t kind = seed_next_below(seed, ARRAY_LENGTH(kinds)), company = seed_next_below(seed, IDS);
    size_t list = seed_next_below(seed, IDS), count = seed_next_below(seed, 4);
    struct uuid objects[4];
    struct change change = {.kind = bytes_of_text(kinds[kind].name),
                            .company_id = make_id(company),
                            .list_id = make_id(list),
                            .object_count = count};
    bool names_objects = seed_next_below(seed, 3) > 0;
    if (names_objects)
        change.objects = objects;
    for (size_t i = 0; i < count; i++) {
        size_t object = seed_next_below(seed, IDS);
        objects[i] = make_id(object);
        if (names_objects && kinds[kind].objects != kinds[kind].all)
            table->is_named[kinds[kind].objects][object] = true;
    }
    if (!names_objects || kinds[kind].objects == kinds[kind].all)
        table->is_named[kinds[kind].all][company] = true;
    struct ip_prefix prefixes[4];
    bool is_of_list = kinds[kind].all == CHANGE_LISTS_OF,
         names_prefixes = is_of_list && seed_next_below(seed, 2);
    if (names_prefixes)
        change.prefixes = prefixes;
    for (; names_prefixes && change.prefix_count < 4; change.prefix_count++) {
        size_t prefix = seed_next_below(seed, IDS);
        prefixes[change.prefix_count] = make_prefix(prefix);
        table->has_prefix[list][prefix] = true;
    }
    if (is_of_list)
        table->is_named[CHANGE_WHITELISTS][company] = true;
    if (is_of_list && !names_prefixes)
        table->is_named[CHANGE_LISTS][list] = true;
    assert_int_equal(change_set_add(set, &change), STATUS_OK);
}

static void check_prefixes(const struct change_set *set, const struct table *table) {
    for (size_t list = 0; list < IDS; list++) {
        size_t count, expected = 0;
        struct uuid id = make_id(list);
        const struct changed_prefix *changed = change_set_get_prefixes(set, &id, &count);
        for (size_t i = 0; i < IDS; i++) {
            struct ip_prefix prefix = make_prefix(i);
            bool is_found = false;
            for (size_t k = 0; k < count; k++)
                is_found |= ip_prefix_compare(&changed[k].prefix, &prefix) == 0;
            assert_int_equal(is_found, table->has_prefix[list][i]);
            expected += table->has_prefix[list][i];
        }
        assert_int_equal(count, expected);
    }
}

static void check(const struct change_set *set, const struct table *table) {
    for (enum change_scope scope = 0; scope < CHANGE_SCOPES; scope++) {
        size_t count, expected = 0;
        const struct uuid *ids = change_set_get_ids(set, scope, &count);
        for (size_t i = 0; i < IDS; i++) {
            struct uuid id = make_id(i);
            assert_int_equal(change_set_has(set, scope, &id), table->is_named[scope][i]);
            expected += table->is_named[scope][i];
        }
        assert_int_equal(count, expected);
        for (size_t i = 1; i < count; i++)
            assert_true(memcmp(&ids[i - 1], &ids[i], sizeof(*ids)) < 0);
    }
    check_prefixes(set, table);
}

static void each_id_is_read_again_once(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 1000; round++) {
        struct change_set set = {0};
        struct table table = {0};
        for (size_t count = seed_next_below(&seed, 40); count > 0; count--)
            add_one(&seed, &set, &table);
        assert_int_equal(change_set_finish(&set), STATUS_OK);
        assert_false(set.has_catalogue);
        check(&set, &table);
        change_set_fini(&set);
    }
}

static void the_catalogue_is_named_and_where_a_history_begins_asks_for_nothing(void **state) {
    (void)state;
    struct change_set set = {0};
    struct table nothing = {0};
    struct change change = {.kind = BYTES_LITERAL("origin")};
    assert_int_equal(change_set_add(&set, &change), STATUS_OK);
    assert_false(set.has_catalogue);
    change.kind = BYTES_LITERAL("permission");
    assert_int_equal(change_set_add(&set, &change), STATUS_OK);
    assert_true(set.has_catalogue);
    assert_int_equal(change_set_finish(&set), STATUS_OK);
    check(&set, &nothing);
    change_set_fini(&set);
}

static void an_unknown_kind_is_never_passed_over(void **state) {
    (void)state;
    static const char *const unknown[] = {"", "tokens", "Token", "session", "toke"};
    struct change_set set = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(unknown); i++) {
        struct change change = {.kind = bytes_of_text(unknown[i])};
        assert_int_equal(change_set_add(&set, &change), STATUS_INVALID);
    }
    change_set_fini(&set);
}

static bool sum_up(void *context) {
    (void)context;
    struct change_set set = {0};
    struct uuid objects[50] = {{{0}}};
    struct change change = {.kind = BYTES_LITERAL("token"), .objects = objects, .object_count = 50};
    bool is_added = change_set_add(&set, &change) == STATUS_OK && change_set_add(&set, &change) == STATUS_OK;
    bool is_finished = is_added && change_set_finish(&set) == STATUS_OK;
    change_set_fini(&set);
    return is_finished;
}

static void a_failing_allocation_is_told_at_the_end(void **state) {
    (void)state;
    allocation_failure_try_each(sum_up, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogue_is_named_and_where_a_history_begins_asks_for_nothing),
        cmocka_unit_test(an_unknown_kind_is_never_passed_over),
        cmocka_unit_test(a_failing_allocation_is_told_at_the_end),
        cmocka_unit_test(each_id_is_read_again_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
