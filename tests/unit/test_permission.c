// Names, grants and catalogues; expansion against a walk over all names.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/access/permission.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static void a_permission_is_two_or_more_parts(void **state) {
    (void)state;
    static const struct {
        struct bytes text;
        bool is_permission, is_grant;
    } cases[] = {
        {BYTES_LITERAL("charges.create"), true, true},
        {BYTES_LITERAL("latchkey.tokens.read"), true, true},
        {BYTES_LITERAL("a.b"), true, true},
        {BYTES_LITERAL("a1__.b2__"), true, true},
        {BYTES_LITERAL("charges.*"), false, true},
        {BYTES_LITERAL("latchkey.tokens.*"), false, true},
        {BYTES_LITERAL(""), false, false},
        {BYTES_LITERAL("charges"), false, false},
        {BYTES_LITERAL("*"), false, false},
        {BYTES_LITERAL(".*"), false, false},
        {BYTES_LITERAL("charges."), false, false},
        {BYTES_LITERAL(".create"), false, false},
        {BYTES_LITERAL("charges..create"), false, false},
        {BYTES_LITERAL("charges..*"), false, false},
        {BYTES_LITERAL("charges.*.read"), false, false},
        {BYTES_LITERAL("charges.cre*"), false, false},
        {BYTES_LITERAL("charges.**"), false, false},
        {BYTES_LITERAL("charges*"), false, false},
        {BYTES_LITERAL("Charges.create"), false, false},
        {BYTES_LITERAL("1charges.create"), false, false},
        {BYTES_LITERAL("charges.-create"), false, false},
        {BYTES_LITERAL("charges.re-create"), false, false},
        {BYTES_LITERAL("charges.create "), false, false},
        {BYTES_LITERAL("charges.create\n"), false, false},
        {BYTES_LITERAL("charges.create\0"), false, false},
        {BYTES_LITERAL("ch\xc3\xa4rges.create"), false, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(permission_is_valid(cases[i].text), cases[i].is_permission);
        assert_int_equal(permission_grant_is_valid(cases[i].text), cases[i].is_grant);
    }
}

static void a_name_has_at_most_a_hundred_bytes(void **state) {
    (void)state;
    char text[PERMISSION_NAME_MAX + 2];
    memset(text, 'a', sizeof(text));
    text[1] = '.';
    assert_true(permission_is_valid(bytes_of(text, PERMISSION_NAME_MAX)));
    assert_false(permission_is_valid(bytes_of(text, PERMISSION_NAME_MAX + 1)));
    memcpy(text + PERMISSION_NAME_MAX - 2, ".*", 2);
    assert_true(permission_grant_is_valid(bytes_of(text, PERMISSION_NAME_MAX)));
    memcpy(text + PERMISSION_NAME_MAX - 2, "a.*", 3);
    assert_false(permission_grant_is_valid(bytes_of(text, PERMISSION_NAME_MAX + 1)));
}

static const struct permission_definition basic[] = {
    {BYTES_LITERAL("charges.create"), false},       {BYTES_LITERAL("charges.read"), false},
    {BYTES_LITERAL("charges.refunds.read"), false}, {BYTES_LITERAL("chargesx.read"), false},
    {BYTES_LITERAL("latchkey.operate"), true},      {BYTES_LITERAL("latchkey.tokens.read"), false},
    {BYTES_LITERAL("latchkey.validate.any"), true}, {BYTES_LITERAL("latchkey.validate.explain"), false},
};

static struct permission_catalogue *new_basic(void) {
    struct permission_catalogue *catalogue = permission_catalogue_new(NULL, basic, ARRAY_LENGTH(basic));
    assert_non_null(catalogue);
    return catalogue;
}

// Names in the set, joined by spaces in order of the alphabet.
static const char *list(const struct permission_catalogue *catalogue, const struct permission_set *set,
                        struct arena *arena) {
    const struct bytes *names;
    size_t count;
    const char *joined = "";
    assert_true(permission_catalogue_list(catalogue, set, arena, &names, &count));
    assert_int_equal(count, permission_set_get_count(set));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(names[i].len, strlen((const char *)names[i].data));
        joined = arena_format(arena, "%s%s%.*s", joined, i ? " " : "", BYTES_FORMAT(names[i]));
    }
    return joined;
}

static void a_group_covers_what_begins_with_it_but_nothing_operator_only(void **state) {
    (void)state;
    static const struct {
        const char *grant, *covers;
    } cases[] = {
        {"charges.*", "charges.create charges.read charges.refunds.read"},
        {"charges.refunds.*", "charges.refunds.read"},
        {"charges.read", "charges.read"},
        {"latchkey.*", "latchkey.tokens.read latchkey.validate.explain"},
        {"latchkey.validate.*", "latchkey.validate.explain"},
        {"latchkey.operate", "latchkey.operate"}, // by its own name
        {"latchkey.operate.*", ""},
        {"charge.*", ""},
        {"zebras.*", ""},
        {"charges.delete", ""},
        {"*", ""},
        {"charges*", ""},
    };
    struct permission_catalogue *catalogue = new_basic();
    struct arena arena;
    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct permission_set *set =
            permission_set_new_in_arena(&arena, permission_catalogue_get_limit(catalogue));
        assert_non_null(set);
        bool covers_any = permission_catalogue_expand(catalogue, bytes_of_text(cases[i].grant), set);
        assert_string_equal(list(catalogue, set, &arena), cases[i].covers);
        assert_int_equal(covers_any, cases[i].covers[0] != '\0');
    }
    arena_fini(&arena);
    permission_catalogue_free(catalogue);
}

static void a_group_of_operator_only_permissions_alone_covers_nothing(void **state) {
    (void)state;
    static const struct permission_definition definitions[] = {
        {BYTES_LITERAL("latchkey.logins.create"), true}, {BYTES_LITERAL("latchkey.logins.delete"), true}};
    struct permission_catalogue *catalogue = permission_catalogue_new(NULL, definitions, 2);
    struct permission_set *set = permission_set_new(2);
    assert_non_null(catalogue);
    assert_non_null(set);
    assert_false(permission_catalogue_expand(catalogue, BYTES_LITERAL("latchkey.*"), set));
    assert_int_equal(permission_set_get_count(set), 0);
    permission_set_free(set);
    permission_catalogue_free(catalogue);
}

static void administrators_may_everything_but_the_operator_only(void **state) {
    (void)state;
    struct permission_catalogue *catalogue = new_basic();
    struct arena arena;
    arena_init(&arena, 0);
    struct permission_set *set =
        permission_set_new_in_arena(&arena, permission_catalogue_get_limit(catalogue));
    assert_non_null(set);
    permission_catalogue_expand_administrator(catalogue, set);
    assert_string_equal(list(catalogue, set, &arena),
                        "charges.create charges.read charges.refunds.read chargesx.read "
                        "latchkey.tokens.read latchkey.validate.explain");
    arena_fini(&arena);
    permission_catalogue_free(catalogue);
}

static void the_nearest_known_name_is_found_for_a_mistyped_one(void **state) {
    (void)state;
    struct permission_catalogue *catalogue = new_basic();
    assert_string_equal(permission_catalogue_find_nearest(catalogue, BYTES_LITERAL("charge.create")),
                        "charges.create");
    assert_string_equal(permission_catalogue_find_nearest(catalogue, BYTES_LITERAL("charges.raed")),
                        "charges.read");
    assert_null(permission_catalogue_find_nearest(catalogue, BYTES_LITERAL("zebra")));
    assert_null(permission_catalogue_find_nearest(catalogue, BYTES_EMPTY));
    assert_null(permission_catalogue_find_nearest(NULL, BYTES_LITERAL("charges.read")));
    permission_catalogue_free(catalogue);
}

static void names_that_are_not_valid_or_come_twice_are_left_out(void **state) {
    (void)state;
    static const struct permission_definition definitions[] = {
        {BYTES_LITERAL("a.b"), true}, {BYTES_LITERAL("a.*"), false}, {BYTES_LITERAL("A.b"), false},
        {BYTES_LITERAL("a"), false},  {BYTES_EMPTY, false},          {BYTES_LITERAL("a.b"), false},
    };
    struct permission_catalogue *catalogue =
        permission_catalogue_new(NULL, definitions, ARRAY_LENGTH(definitions));
    assert_non_null(catalogue);
    assert_int_equal(permission_catalogue_get_count(catalogue), 1);
    assert_int_equal(permission_catalogue_find_id(catalogue, BYTES_LITERAL("a.*")), PERMISSION_ID_NONE);
    struct permission_set *set = permission_set_new(permission_catalogue_get_limit(catalogue));
    assert_non_null(set);
    permission_catalogue_expand_administrator(catalogue, set);
    assert_int_equal(permission_set_get_count(set), 0); // the first one counts
    permission_set_free(set);
    permission_catalogue_free(catalogue);
}

static void no_catalogue_knows_nothing(void **state) {
    (void)state;
    struct permission_set *set = permission_set_new(64);
    assert_non_null(set);
    assert_int_equal(permission_catalogue_find_id(NULL, BYTES_LITERAL("a.b")), PERMISSION_ID_NONE);
    assert_null(permission_catalogue_find_name(NULL, 0));
    assert_int_equal(permission_catalogue_get_count(NULL), 0);
    assert_int_equal(permission_catalogue_get_limit(NULL), 0);
    assert_false(permission_catalogue_expand(NULL, BYTES_LITERAL("a.b"), set));
    permission_catalogue_expand_administrator(NULL, set);
    assert_int_equal(permission_set_get_count(set), 0);
    permission_set_free(set);
    permission_catalogue_free(NULL);
}

// ---- one catalogue after the other, against a plain table of names ----

enum { NAMES = 60 };

struct table {
    char names[NAMES][32];
    bool is_present[NAMES], was_present[NAMES], is_operator_only[NAMES];
    uint32_t ids[NAMES]; // PERMISSION_ID_NONE = never had one
};

static void make_names(struct table *table) {
    static const char *const resources[] = {"a", "a.b", "ab", "b", "b_c", "b_c.d"};
    for (size_t i = 0; i < NAMES; i++) {
        snprintf(table->names[i], sizeof(table->names[i]), "%s.n%zu", resources[i % 6], i / 6);
        table->ids[i] = PERMISSION_ID_NONE;
    }
}

static struct permission_catalogue *draw_next(struct seed *seed, struct table *table,
                                              const struct permission_catalogue *previous) {
    struct permission_definition definitions[NAMES];
    size_t count = 0, first = seed_next_below(seed, NAMES);
    for (size_t k = 0; k < NAMES; k++) {
        size_t i = (first + k) % NAMES;
        table->was_present[i] = table->is_present[i];
        table->is_present[i] = seed_next_below(seed, 2);
        table->is_operator_only[i] = seed_next_below(seed, 4) == 0;
        if (table->is_present[i])
            definitions[count++] =
                (struct permission_definition){bytes_of_text(table->names[i]), table->is_operator_only[i]};
    }
    struct permission_catalogue *catalogue = permission_catalogue_new(previous, definitions, count);
    assert_non_null(catalogue);
    assert_int_equal(permission_catalogue_get_count(catalogue), count);
    return catalogue;
}

// A name keeps its id from one catalogue to the next, and nobody gets one that another has had.
static void check_ids(const struct permission_catalogue *catalogue, struct table *table) {
    for (size_t i = 0; i < NAMES; i++) {
        uint32_t id = permission_catalogue_find_id(catalogue, bytes_of_text(table->names[i]));
        if (!table->is_present[i]) {
            assert_int_equal(id, PERMISSION_ID_NONE);
            continue;
        }
        assert_true(id < permission_catalogue_get_limit(catalogue));
        assert_string_equal(permission_catalogue_find_name(catalogue, id), table->names[i]);
        if (table->was_present[i])
            assert_int_equal(id, table->ids[i]);
        table->ids[i] = id;
        for (size_t k = 0; k < i; k++)
            assert_true(table->ids[k] == PERMISSION_ID_NONE || table->ids[k] != id);
    }
}

static void check_group(const struct permission_catalogue *catalogue, const struct table *table,
                        const char *grant) {
    struct permission_set *set = permission_set_new(permission_catalogue_get_limit(catalogue));
    assert_non_null(set);
    bool covers_any = permission_catalogue_expand(catalogue, bytes_of_text(grant), set);
    size_t expected = 0;
    for (size_t i = 0; i < NAMES; i++) {
        bool is_in = table->is_present[i] && !table->is_operator_only[i] &&
                     strncmp(table->names[i], grant, strlen(grant) - 1) == 0;
        expected += is_in;
        if (table->is_present[i])
            assert_int_equal(permission_set_has(set, table->ids[i]), is_in);
    }
    assert_int_equal(permission_set_get_count(set), expected);
    assert_int_equal(covers_any, expected > 0);
    permission_set_free(set);
}

// Some of the names that there are or were, asked for in the order of the alphabet.
static void check_list(struct seed *seed, const struct permission_catalogue *catalogue,
                       const struct table *table) {
    struct permission_set *set = permission_set_new(permission_catalogue_get_limit(catalogue));
    struct arena arena;
    const struct bytes *names;
    size_t count, expected = 0;
    assert_non_null(set);
    arena_init(&arena, 0);
    for (size_t i = 0; i < NAMES; i++) {
        bool is_in = table->ids[i] != PERMISSION_ID_NONE && seed_next_below(seed, 2);
        if (is_in)
            permission_set_add(set, table->ids[i]);
        expected += is_in && table->is_present[i];
    }
    assert_true(permission_catalogue_list(catalogue, set, &arena, &names, &count));
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++) {
        assert_true(permission_set_has(set, permission_catalogue_find_id(catalogue, names[i])));
        assert_true(i == 0 || strcmp((const char *)names[i - 1].data, (const char *)names[i].data) < 0);
    }
    arena_fini(&arena);
    permission_set_free(set);
}

static void a_line_of_catalogues_agrees_with_a_plain_table(void **state) {
    (void)state;
    static const char *const groups[] = {"a.*", "a.b.*", "ab.*", "b.*", "b_c.*", "b_c.d.*", "c.*"};
    struct seed seed = seed_new();
    struct permission_catalogue *catalogue = NULL;
    struct table table = {0};
    make_names(&table);
    for (unsigned round = 0; round < 300; round++) {
        struct permission_catalogue *next = draw_next(&seed, &table, catalogue);
        permission_catalogue_free(catalogue);
        catalogue = next;
        check_ids(catalogue, &table);
        check_list(&seed, catalogue, &table);
        for (size_t i = 0; i < ARRAY_LENGTH(groups); i++)
            check_group(catalogue, &table, groups[i]);
    }
    permission_catalogue_free(catalogue);
}

static void a_catalogue_has_at_most_as_many_ids_as_a_set_can_hold(void **state) {
    (void)state;
    enum { COUNT = PERMISSION_SET_LIMIT_MAX + 1 };
    struct permission_definition *definitions = calloc(COUNT, sizeof(*definitions));
    char(*texts)[16] = calloc(COUNT, sizeof(*texts));
    assert_non_null(definitions);
    assert_non_null(texts);
    for (size_t i = 0; i < COUNT; i++) {
        int len = snprintf(texts[i], sizeof(texts[i]), "a.n%zu", i);
        definitions[i].name = bytes_of(texts[i], (size_t)len);
    }
    assert_null(permission_catalogue_new(NULL, definitions, COUNT));
    struct permission_catalogue *full = permission_catalogue_new(NULL, definitions, COUNT - 1);
    assert_non_null(full);
    assert_null(permission_catalogue_new(full, definitions + 1, COUNT - 1)); // one id more
    struct permission_catalogue *afresh = permission_catalogue_new(NULL, definitions + 1, COUNT - 1);
    assert_non_null(afresh);
    permission_catalogue_free(afresh);
    permission_catalogue_free(full);
    free(texts);
    free(definitions);
}

static bool make_a_catalogue(void *context) {
    (void)context;
    struct permission_catalogue *catalogue = permission_catalogue_new(NULL, basic, ARRAY_LENGTH(basic));
    bool succeeded = catalogue != NULL;
    permission_catalogue_free(catalogue);
    return succeeded;
}

static void a_failing_allocation_gives_no_catalogue(void **state) {
    (void)state;
    allocation_failure_try_each(make_a_catalogue, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_permission_is_two_or_more_parts),
        cmocka_unit_test(a_name_has_at_most_a_hundred_bytes),
        cmocka_unit_test(a_group_covers_what_begins_with_it_but_nothing_operator_only),
        cmocka_unit_test(a_group_of_operator_only_permissions_alone_covers_nothing),
        cmocka_unit_test(administrators_may_everything_but_the_operator_only),
        cmocka_unit_test(the_nearest_known_name_is_found_for_a_mistyped_one),
        cmocka_unit_test(names_that_are_not_valid_or_come_twice_are_left_out),
        cmocka_unit_test(no_catalogue_knows_nothing),
        cmocka_unit_test(a_line_of_catalogues_agrees_with_a_plain_table),
        cmocka_unit_test(a_catalogue_has_at_most_as_many_ids_as_a_set_can_hold),
        cmocka_unit_test(a_failing_allocation_gives_no_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
