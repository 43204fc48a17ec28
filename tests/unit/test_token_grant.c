// A token never exceeds its maker: permissions and groups, the two lists of addresses, domains, time.
#include <string.h>

#include "common/access/decision.h"
#include "common/base/clock.h"
#include "services/token/token_grant.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1767268800000)

static const struct permission_definition definitions[] = {
    {BYTES_LITERAL("charges.create"), false},  {BYTES_LITERAL("charges.read"), false},
    {BYTES_LITERAL("charges.x.read"), false},  {BYTES_LITERAL("customers.read"), false},
    {BYTES_LITERAL("latchkey.operate"), true}, {BYTES_LITERAL("latchkey.tokens.create"), false},
};

struct stage {
    struct arena arena;
    struct fault fault;
    struct permission_catalogue *catalogue;
};

static int set_up(void **state) {
    static struct stage stage;
    arena_init(&stage.arena, 0);
    stage.catalogue = permission_catalogue_new(NULL, definitions, ARRAY_LENGTH(definitions));
    *state = &stage;
    return stage.catalogue ? 0 : -1;
}

static int tear_down(void **state) {
    struct stage *stage = *state;
    permission_catalogue_free(stage->catalogue);
    arena_fini(&stage->arena);
    return 0;
}

static const struct uuid MAKER = {{1}}, NOBODY = {{0}}, SOMEBODY_ELSE = {{2}};

static void give(struct stage *stage, struct permission_set *set, const char *grant) {
    assert_true(permission_catalogue_expand(stage->catalogue, bytes_of_text(grant), set));
}

static struct token_maker make_maker(struct stage *stage, const char *grant) {
    struct permission_set *set =
        permission_set_new_in_arena(&stage->arena, permission_catalogue_get_limit(stage->catalogue));
    struct bytes grants = bytes_of_text(grant);
    struct group_list groups;
    assert_non_null(set);
    give(stage, set, grant);
    assert_true(group_list_pick(&grants, 1, &stage->arena, &groups));
    return (struct token_maker){.catalogue = stage->catalogue,
                                .permissions = set,
                                .groups = groups,
                                .member_id = MAKER,
                                .expires_at_ms = CLOCK_NEVER_MS};
}

static bool may_make_for(struct stage *stage, const struct token_draft *draft, struct uuid owner_id,
                         const struct token_maker *maker) {
    fault_init(&stage->fault, &stage->arena);
    enum status status = token_check_grant(draft, owner_id, maker, &stage->arena, &stage->fault);
    if (status == STATUS_OK)
        return true;
    assert_int_equal(status, STATUS_PERMISSION_DENIED);
    assert_string_equal(stage->fault.reason, "GRANT_EXCEEDS_CALLER");
    assert_non_null(stage->fault.details);
    return false;
}

static bool may_make(struct stage *stage, const struct token_draft *draft, const struct token_maker *maker) {
    return may_make_for(stage, draft, maker->member_id, maker);
}

static void a_token_gets_no_permission_that_its_maker_lacks(void **state) {
    struct stage *stage = *state;
    static const struct {
        const char *makers, *tokens;
        bool may;
    } cases[] = {
        {"charges.*", "charges.read", true},
        {"charges.*", "charges.*", true},
        {"charges.*", "charges.x.*", true},
        {"charges.*", "customers.read", false},
        {"charges.read", "charges.*", false},
        {"charges.x.*", "charges.*", false},
        {"charges.x.*", "charges.x.read", true},
        {"latchkey.*", "latchkey.operate", false},
        {"latchkey.*", "latchkey.*", true}, // the operator-only one is in neither
        {"latchkey.operate", "latchkey.operate", true},
        {"latchkey.operate", "latchkey.*", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct token_maker maker = make_maker(stage, cases[i].makers);
        struct bytes grant = bytes_of_text(cases[i].tokens);
        struct token_draft draft = {
            .permissions = &grant, .permission_count = 1, .expires_at_ms = CLOCK_NEVER_MS};
        if (may_make(stage, &draft, &maker) != cases[i].may)
            fail_msg("%s by %s", cases[i].tokens, cases[i].makers);
    }
}

static void a_group_is_given_by_who_holds_it_or_one_around_it(void **state) {
    struct stage *stage = *state;
    static const struct {
        const char *held, *wanted;
        bool may;
    } cases[] = {
        {"charges.*", "charges.*", true},     {"charges.*", "charges.x.*", true},
        {"charges.x.*", "charges.*", false},  {"charge.*", "charges.*", false},
        {"charges.read", "charges.*", false}, {"customers.*", "charges.x.*", false},
        {"charges.x.*", "charges.x.*", true}, {"charges.read", "charges.read", true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct token_maker maker =
            make_maker(stage, "charges.*"); // that it may do all of today's is not enough
        struct bytes held = bytes_of_text(cases[i].held), wanted = bytes_of_text(cases[i].wanted);
        struct token_draft draft = {
            .permissions = &wanted, .permission_count = 1, .expires_at_ms = CLOCK_NEVER_MS};
        assert_true(group_list_pick(&held, 1, &stage->arena, &maker.groups));
        if (may_make(stage, &draft, &maker) != cases[i].may)
            fail_msg("%s by %s", cases[i].wanted, cases[i].held);
    }
}

static void a_group_too_much_is_told_with_the_names_to_type(void **state) {
    struct stage *stage = *state;
    struct token_maker maker = make_maker(stage, "charges.*");
    struct bytes wanted[] = {BYTES_LITERAL("charges.read"), BYTES_LITERAL("charges.x.*")};
    struct token_draft draft = {
        .permissions = wanted, .permission_count = 2, .expires_at_ms = CLOCK_NEVER_MS};
    maker.groups.count = 0;
    assert_false(may_make(stage, &draft, &maker));
    assert_string_equal(stage->fault.details->key, "groups");
    assert_string_equal(stage->fault.details->value, "charges.x.*");
    assert_non_null(strstr(stage->fault.message, "type the names instead: charges.x.read"));
}

static struct ip_prefix parse(const char *text) {
    struct ip_prefix prefix;
    assert_int_equal(ip_prefix_parse(bytes_of_text(text), &prefix), IP_PARSE_OK);
    return prefix;
}

static void a_token_is_good_from_nowhere_that_its_maker_is_not(void **state) {
    struct stage *stage = *state;
    struct token_maker maker = make_maker(stage, "charges.read");
    struct ip_prefix makers[] = {parse("10.0.0.0/8"), parse("2001:db8::/32")};
    static const struct {
        const char *prefix;
        bool may;
    } cases[] = {
        {"10.1.0.0/16", true}, {"10.0.0.0/8", true},      {"10.0.0.0/7", false},        {"11.0.0.1", false},
        {"0.0.0.0/0", false},  {"2001:db8::1", true},     {"2001:db9::1", false},       {"::/0", false},
        {"10.0.0.1", true},    {"::ffff:10.0.0.1", true}, {"64:ff9b::10.0.0.1", false},
    };
    struct token_draft draft = {.expires_at_ms = CLOCK_NEVER_MS};
    assert_true(may_make(stage, &draft, &maker));
    maker.ips = (struct prefix_list){makers, 2};
    assert_false(may_make(stage, &draft, &maker)); // an empty list is any address
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct ip_prefix wanted[] = {parse("10.9.9.9"), parse(cases[i].prefix)};
        draft.ips = wanted;
        draft.ip_count = 2;
        if (may_make(stage, &draft, &maker) != cases[i].may)
            fail_msg("%s", cases[i].prefix);
    }
}

static void the_makers_own_list_bounds_a_token_that_it_will_not_bind(void **state) {
    struct stage *stage = *state;
    struct token_maker maker = make_maker(stage, "charges.read");
    struct ip_prefix makers[] = {parse("10.0.0.0/8")},
                     members[] = {parse("10.1.0.0/16"), parse("2001:db8::/32")};
    static const struct {
        const char *prefix; // NULL = an empty list
        bool may_for_maker, may_for_others;
    } cases[] = {
        {"10.1.2.0/24", true, true}, {"10.1.0.0/16", true, true},   {"10.2.0.0/16", true, false},
        {"10.0.0.0/8", true, false}, {"2001:db8::1", false, false}, {NULL, false, false},
    };
    maker.ips = (struct prefix_list){makers, 1};
    maker.member_ips = (struct prefix_list){members, 2};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct ip_prefix wanted = cases[i].prefix ? parse(cases[i].prefix) : (struct ip_prefix){0};
        struct token_draft draft = {
            .ips = &wanted, .ip_count = cases[i].prefix != NULL, .expires_at_ms = CLOCK_NEVER_MS};
        if (may_make_for(stage, &draft, MAKER, &maker) != cases[i].may_for_maker ||
            may_make_for(stage, &draft, NOBODY, &maker) != cases[i].may_for_others ||
            may_make_for(stage, &draft, SOMEBODY_ELSE, &maker) != cases[i].may_for_others)
            fail_msg("%s", cases[i].prefix ? cases[i].prefix : "any");
    }
    struct token_draft anywhere = {.expires_at_ms = CLOCK_NEVER_MS};
    maker.ips.count = 0;
    assert_true(may_make_for(stage, &anywhere, MAKER, &maker));
    assert_false(may_make_for(stage, &anywhere, NOBODY, &maker));
    maker.member_id = NOBODY; // the company's maker is none of the company's tokens' owner
    assert_false(may_make_for(stage, &anywhere, NOBODY, &maker));
}

static void an_address_too_much_is_told_with_the_list_and_what_to_type(void **state) {
    struct stage *stage = *state;
    struct token_maker maker = make_maker(stage, "charges.read");
    struct ip_prefix makers[] = {parse("10.0.0.0/8")}, members[] = {parse("10.1.0.0/16"), parse("192.0.2.7")};
    struct ip_prefix wanted[] = {parse("10.1.2.3"), parse("10.2.0.0/16")};
    struct token_draft draft = {.ips = wanted, .ip_count = 2, .expires_at_ms = CLOCK_NEVER_MS};
    maker.member_ips = (struct prefix_list){members, 2};
    assert_false(may_make_for(stage, &draft, NOBODY, &maker));
    assert_string_equal(stage->fault.details->key, "memberAllowedIps");
    assert_string_equal(stage->fault.details->value, "10.2.0.0/16");
    assert_non_null(strstr(stage->fault.message, "that you have as a member"));
    assert_non_null(strstr(stage->fault.message, "type addresses within 10.1.0.0/16, 192.0.2.7/32"));
    maker.member_ips.count = 0;
    maker.ips = (struct prefix_list){makers, 1};
    draft.ip_count = 0;
    assert_false(may_make_for(stage, &draft, NOBODY, &maker));
    assert_string_equal(stage->fault.details->key, "allowedIps");
    assert_non_null(strstr(stage->fault.message, "of the token that you call with"));
    assert_non_null(strstr(stage->fault.message, "type addresses within 10.0.0.0/8"));
}

static void a_token_is_good_on_no_domain_that_its_maker_is_not(void **state) {
    struct stage *stage = *state;
    struct token_maker maker = make_maker(stage, "charges.read");
    struct bytes makers[] = {BYTES_LITERAL("*.example.com"), BYTES_LITERAL("other.net")};
    static const struct {
        const char *pattern;
        bool may;
    } cases[] = {
        {"app.example.com", true}, {"*.example.com", true},      {"*.a.example.com", true},
        {"a.b.example.com", true}, {"example.com", false},       {"evilexample.com", false},
        {"*.com", false},          {"other.net", true},          {"*.other.net", false},
        {"a.other.net", false},    {"*.evilexample.com", false},
    };
    struct token_draft draft = {.channels = CHANNEL_BITS_ALL, .expires_at_ms = CLOCK_NEVER_MS};
    maker.domains = makers;
    maker.domain_count = 2;
    assert_false(may_make(stage, &draft, &maker)); // an empty list is any domain
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct bytes wanted = bytes_of_text(cases[i].pattern);
        draft.domains = &wanted;
        draft.domain_count = 1;
        if (may_make(stage, &draft, &maker) != cases[i].may)
            fail_msg("%s", cases[i].pattern);
    }
    draft = (struct token_draft){.channels = CHANNEL_BIT(CHANNEL_API), .expires_at_ms = CLOCK_NEVER_MS};
    assert_true(may_make(stage, &draft, &maker));
}

static void a_token_does_not_outlive_its_maker(void **state) {
    struct stage *stage = *state;
    struct token_maker maker = make_maker(stage, "charges.read");
    struct token_draft draft = {.expires_at_ms = NOW_MS};
    maker.expires_at_ms = NOW_MS;
    assert_true(may_make(stage, &draft, &maker));
    draft.expires_at_ms = NOW_MS + 1;
    assert_false(may_make(stage, &draft, &maker));
    draft.expires_at_ms = CLOCK_NEVER_MS;
    assert_false(may_make(stage, &draft, &maker));
    maker.expires_at_ms = CLOCK_NEVER_MS;
    assert_true(may_make(stage, &draft, &maker));
}

static void too_much_is_counted_and_the_first_twenty_named(void **state) {
    struct stage *stage = *state;
    struct token_maker maker = make_maker(stage, "charges.read");
    struct bytes grants[25];
    for (size_t i = 0; i < ARRAY_LENGTH(grants); i++)
        grants[i] = BYTES_LITERAL("customers.read");
    struct token_draft draft = {
        .permissions = grants, .permission_count = 25, .expires_at_ms = CLOCK_NEVER_MS};
    assert_false(may_make(stage, &draft, &maker));
    assert_non_null(strstr(stage->fault.message, " and more"));
    size_t named = 0;
    for (const char *at = stage->fault.message; (at = strstr(at, "customers.read")); at++)
        named++;
    assert_int_equal(named, 20);
}

static void running_out_of_memory_is_told_whenever_it_happens(void **state) {
    struct stage *stage = *state;
    struct token_maker maker = make_maker(stage, "charges.*");
    struct bytes wanted = BYTES_LITERAL("charges.*");
    struct ip_prefix listed = parse("10.0.0.0/8"), beyond = parse("192.0.2.7");
    struct token_draft draft = {.permissions = &wanted,
                                .permission_count = 1,
                                .ips = &beyond,
                                .ip_count = 1,
                                .expires_at_ms = CLOCK_NEVER_MS};
    enum status status = STATUS_NO_MEMORY;
    maker.groups.count = 0;
    maker.member_ips = (struct prefix_list){&listed, 1};
    for (size_t limit = 1; status != STATUS_PERMISSION_DENIED; limit++) {
        struct arena small;
        arena_init(&small, limit);
        fault_init(&stage->fault, &small);
        status = token_check_grant(&draft, NOBODY, &maker, &small, &stage->fault);
        assert_true(status == STATUS_PERMISSION_DENIED || status == STATUS_NO_MEMORY);
        arena_fini(&small);
        assert_true(limit < 100000);
    }
}

#define STAGED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGED(a_token_gets_no_permission_that_its_maker_lacks),
        STAGED(a_group_is_given_by_who_holds_it_or_one_around_it),
        STAGED(a_group_too_much_is_told_with_the_names_to_type),
        STAGED(a_token_is_good_from_nowhere_that_its_maker_is_not),
        STAGED(the_makers_own_list_bounds_a_token_that_it_will_not_bind),
        STAGED(an_address_too_much_is_told_with_the_list_and_what_to_type),
        STAGED(a_token_is_good_on_no_domain_that_its_maker_is_not),
        STAGED(a_token_does_not_outlive_its_maker),
        STAGED(too_much_is_counted_and_the_first_twenty_named),
        STAGED(running_out_of_memory_is_told_whenever_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
