// What a token may be like, and that it never exceeds its maker.
#include <stdio.h>
#include <string.h>

#include "common/access/decision.h"
#include "common/base/clock.h"
#include "services/token/token_grant.h"
#include "services/token/token_rules.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1767268800000)
#define HOUR_MS INT64_C(3600000)

static const struct token_limits limits = {.permissions = 4, .domains = 3, .ips = 3, .company_tokens = 10};

static const struct permission_definition definitions[] = {
    {BYTES_LITERAL("charges.create"), false},  {BYTES_LITERAL("charges.read"), false},
    {BYTES_LITERAL("charges.x.read"), false},  {BYTES_LITERAL("customers.read"), false},
    {BYTES_LITERAL("latchkey.operate"), true}, {BYTES_LITERAL("latchkey.tokens.create"), false},
};

struct stage {
    struct arena arena;
    struct fault fault;
    struct permission_catalogue *catalogue;
    struct token_terms terms;
    struct token_wish wish;
    struct token_draft draft;
};

static int set_up(void **state) {
    static struct stage stage;
    stage = (struct stage){.wish = {.label = "ci", .description = "", .external_id = ""}};
    arena_init(&stage.arena, 0);
    stage.catalogue = permission_catalogue_new(NULL, definitions, ARRAY_LENGTH(definitions));
    if (!stage.catalogue)
        return -1;
    stage.terms = (struct token_terms){&limits, stage.catalogue, NOW_MS};
    *state = &stage;
    return 0;
}

static int tear_down(void **state) {
    struct stage *stage = *state;
    permission_catalogue_free(stage->catalogue);
    arena_fini(&stage->arena);
    return 0;
}

static struct text_list list_of(const char *const *texts, size_t count) {
    return (struct text_list){(char *const *)texts, count};
}

static enum status check(struct stage *stage) {
    fault_init(&stage->fault, &stage->arena);
    return token_check_wish(&stage->wish, &stage->terms, &stage->arena, &stage->fault, &stage->draft);
}

static void assert_accepted(struct stage *stage) {
    if (check(stage) != STATUS_OK)
        fail_msg("%s: %s", stage->fault.fields->field, stage->fault.fields->description);
}

// Exactly these fields, in their order, separated by spaces.
static void assert_bad(struct stage *stage, const char *fields) {
    assert_int_equal(check(stage), STATUS_INVALID);
    const char *named = "";
    for (const struct fault_field *field = stage->fault.fields; field; field = field->next) {
        named = arena_format(&stage->arena, "%s%s%s", named, *named ? " " : "", field->field);
        assert_true(strlen(field->description) > 0);
    }
    assert_string_equal(named, fields);
}

// ---- the fields ----

static void the_least_that_can_be_said_is_enough(void **state) {
    struct stage *stage = *state;
    assert_accepted(stage);
    assert_int_equal(stage->draft.channels, CHANNEL_BIT(CHANNEL_API));
    assert_int_equal(stage->draft.not_before_ms, CLOCK_ALWAYS_MS);
    assert_int_equal(stage->draft.expires_at_ms, CLOCK_NEVER_MS);
    assert_int_equal(stage->draft.permission_count + stage->draft.domain_count + stage->draft.ip_count, 0);
}

static void lengths_are_counted_in_characters(void **state) {
    struct stage *stage = *state;
    char text[2 * TOKEN_DESCRIPTION_MAX + 3];
    for (size_t i = 0; i + 1 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xbc", 2);
    text[2 * TOKEN_LABEL_MAX] = '\0';
    stage->wish.label = text;
    assert_accepted(stage);
    memcpy(text + 2 * TOKEN_LABEL_MAX, "\xc3\xbc", 3);
    assert_bad(stage, "label");
    stage->wish.label = "";
    assert_bad(stage, "label");
    stage->wish.label = "ci";
    memcpy(text + 2 * TOKEN_LABEL_MAX, "\xc3\xbc\xc3\xbc", 4);
    text[2 * TOKEN_DESCRIPTION_MAX + 2] = '\0';
    stage->wish.description = text;
    assert_bad(stage, "description");
    text[2 * TOKEN_DESCRIPTION_MAX] = '\0';
    assert_accepted(stage);
    stage->wish.external_id = text;
    assert_bad(stage, "external_id");
}

static void metadata_is_bounded_in_pairs_keys_and_bytes(void **state) {
    struct stage *stage = *state;
    struct token_pair pairs[TOKEN_METADATA_PAIRS_MAX + 1];
    char long_text[TOKEN_METADATA_BYTES_MAX + 1];
    memset(long_text, 'a', sizeof(long_text));
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++)
        pairs[i] = (struct token_pair){bytes_of(long_text, i + 1), BYTES_EMPTY};
    stage->wish.metadata = pairs;
    stage->wish.metadata_count = TOKEN_METADATA_PAIRS_MAX;
    assert_accepted(stage);
    stage->wish.metadata_count++;
    assert_bad(stage, "metadata");
    stage->wish.metadata_count = 1;
    pairs[0] = (struct token_pair){bytes_of(long_text, TOKEN_METADATA_KEY_MAX),
                                   bytes_of(long_text, TOKEN_METADATA_BYTES_MAX - TOKEN_METADATA_KEY_MAX)};
    assert_accepted(stage);
    pairs[0].value.len++;
    assert_bad(stage, "metadata");
    pairs[0] = (struct token_pair){bytes_of(long_text, TOKEN_METADATA_KEY_MAX + 1), BYTES_EMPTY};
    assert_bad(stage, "metadata");
    pairs[0].key = BYTES_EMPTY;
    assert_bad(stage, "metadata");
}

static void every_bad_field_is_named_at_once(void **state) {
    struct stage *stage = *state;
    static const int channels[] = {CHANNEL_UI, 0, 3};
    const char *permissions[] = {"charges.read", "charges.raed", "*"};
    const char *domains[] = {"*.com", "app.example.com", "https://x.example"};
    const char *ips[] = {"10.0.0.1/33", "10.0.0.1", "010.0.0.1"};
    stage->wish = (struct token_wish){.label = "",
                                      .description = "",
                                      .external_id = "",
                                      .channels = channels,
                                      .channel_count = 3,
                                      .permissions = list_of(permissions, 3),
                                      .domains = list_of(domains, 3),
                                      .ips = list_of(ips, 3),
                                      .has_expires_at = true,
                                      .expires_at_ms = NOW_MS,
                                      .has_not_before = true,
                                      .not_before_ms = NOW_MS};
    assert_bad(stage, "label channels[1] channels[2] permissions[1] permissions[2] expires_at not_before "
                      "allowed_domains[0] allowed_domains[2] allowed_ips[0] allowed_ips[2]");
}

static void an_unknown_permission_is_told_with_the_nearest(void **state) {
    struct stage *stage = *state;
    const char *permissions[] = {"charges.raed"};
    stage->wish.permissions = list_of(permissions, 1);
    assert_bad(stage, "permissions[0]");
    assert_string_equal(stage->fault.fields->description,
                        "there is no permission charges.raed; did you mean charges.read?");
    permissions[0] = "zebra.*";
    assert_bad(stage, "permissions[0]");
    permissions[0] = "latchkey.operate.*";
    assert_bad(stage, "permissions[0]");
}

static void lists_that_are_too_long_are_refused_as_a_whole(void **state) {
    struct stage *stage = *state;
    static const int ui[] = {CHANNEL_UI};
    const char *texts[] = {"charges.read", "bad", "bad", "bad", "bad"};
    stage->wish.channels = ui;
    stage->wish.channel_count = 1;
    stage->wish.permissions = list_of(texts, 5);
    stage->wish.domains = list_of(texts, 4);
    stage->wish.ips = list_of(texts, 4);
    assert_bad(stage, "permissions allowed_domains allowed_ips");
}

static void domains_need_the_channel_on_which_they_count(void **state) {
    struct stage *stage = *state;
    static const int both[] = {CHANNEL_API, CHANNEL_UI};
    const char *domains[] = {"App.Example.com."};
    stage->wish.domains = list_of(domains, 1);
    assert_bad(stage, "allowed_domains");
    stage->wish.channels = both;
    stage->wish.channel_count = 2;
    assert_accepted(stage);
    assert_int_equal(stage->draft.channels, CHANNEL_BITS_ALL);
    assert_true(bytes_is_text(stage->draft.domains[0], "app.example.com"));
}

static void host_bits_are_fine_and_stored_canonical(void **state) {
    struct stage *stage = *state;
    const char *ips[] = {"10.1.2.3/8", "::ffff:192.0.2.7"};
    char text[IP_PREFIX_TEXT_MAX + 1];
    stage->wish.ips = list_of(ips, 2);
    assert_accepted(stage);
    ip_prefix_format(&stage->draft.ips[0], text);
    assert_string_equal(text, "10.0.0.0/8");
    ip_prefix_format(&stage->draft.ips[1], text);
    assert_string_equal(text, "192.0.2.7/32");
}

static void an_expiry_is_a_time_or_a_duration_in_the_future(void **state) {
    struct stage *stage = *state;
    static const int64_t bad[] = {0, -1, INT64_MIN, INT64_MAX, INT64_C(31536000000001)};
    stage->wish.has_expires_at = true;
    stage->wish.expires_at_ms = NOW_MS + 1;
    assert_accepted(stage);
    assert_int_equal(stage->draft.expires_at_ms, NOW_MS + 1);
    stage->wish.has_expire_in = true;
    stage->wish.expire_in_ms = 1;
    assert_bad(stage, "expire_in");
    stage->wish.has_expires_at = false;
    assert_accepted(stage);
    assert_int_equal(stage->draft.expires_at_ms, NOW_MS + 1);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        stage->wish.expire_in_ms = bad[i];
        assert_bad(stage, "expire_in");
    }
    stage->wish.expire_in_ms = HOUR_MS;
    stage->wish.has_not_before = true;
    stage->wish.not_before_ms = NOW_MS + HOUR_MS;
    assert_bad(stage, "not_before");
    stage->wish.not_before_ms--;
    assert_accepted(stage);
}

static void an_arena_that_runs_out_refuses_the_wish(void **state) {
    struct stage *stage = *state;
    static const int ui[] = {CHANNEL_UI};
    const char *permissions[] = {"charges.*"}, *domains[] = {"app.example.com"}, *ips[] = {"10.0.0.0/8"};
    stage->wish.channels = ui;
    stage->wish.channel_count = 1;
    stage->wish.permissions = list_of(permissions, 1);
    stage->wish.domains = list_of(domains, 1);
    stage->wish.ips = list_of(ips, 1);
    size_t refused = 0;
    for (size_t limit = 16;; limit += 16, refused++) {
        struct arena small;
        struct fault fault;
        struct token_draft draft;
        arena_init(&small, limit);
        fault_init(&fault, &small);
        enum status status = token_check_wish(&stage->wish, &stage->terms, &small, &fault, &draft);
        arena_fini(&small);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
    assert_true(refused > 0);
}

// ---- a token that is there ----

static struct token make_present(struct bytes *permissions, struct bytes *domains) {
    return (struct token){.label = "before",
                          .description = "kept",
                          .external_id = "x-1",
                          .channels = CHANNEL_BIT(CHANNEL_UI),
                          .permissions = permissions,
                          .permission_count = 1,
                          .allowed_domains = domains,
                          .allowed_domain_count = 1,
                          .not_before_ms = NOW_MS - HOUR_MS,
                          .expires_at_ms = NOW_MS + HOUR_MS};
}

static void a_change_looks_at_what_it_names_and_keeps_the_rest(void **state) {
    struct stage *stage = *state;
    struct bytes permission = BYTES_LITERAL("of.yore"), domain = BYTES_LITERAL("*.com"); // no longer accepted
    struct token token = make_present(&permission, &domain);
    struct token_draft draft;
    fault_init(&stage->fault, &stage->arena);
    stage->wish = (struct token_wish){.label = "after", .description = NULL};
    enum status status = token_check_change(&stage->wish, TOKEN_FIELD_BIT(TOKEN_FIELD_LABEL), &token,
                                            &stage->terms, &stage->arena, &stage->fault, &draft);
    assert_int_equal(status, STATUS_OK);
    assert_true(bytes_is_text(draft.label, "after") && bytes_is_text(draft.description, "kept"));
    assert_true(draft.permissions == &permission && draft.domains == &domain);
    assert_true(draft.expires_at_ms == token.expires_at_ms && draft.not_before_ms == token.not_before_ms);
}

static void a_change_is_checked_like_a_creation(void **state) {
    struct stage *stage = *state;
    char text[] = "*.com", *const texts[] = {text};
    struct bytes permission = BYTES_LITERAL("charges.read"), domain = BYTES_LITERAL("example.com");
    struct token token = make_present(&permission, &domain);
    struct token_draft draft;
    fault_init(&stage->fault, &stage->arena);
    stage->wish = (struct token_wish){.label = "",
                                      .description = "",
                                      .permissions = {texts, 1},
                                      .domains = {texts, 1},
                                      .ips = {texts, 1},
                                      .has_expires_at = true,
                                      .expires_at_ms = NOW_MS};
    enum status status = token_check_change(&stage->wish, TOKEN_FIELD_BIT(TOKEN_FIELD_COUNT) - 1, &token,
                                            &stage->terms, &stage->arena, &stage->fault, &draft);
    assert_int_equal(status, STATUS_INVALID);
    assert_int_equal(stage->fault.field_count, 5); // all but the description and the metadata
}

static void an_expiry_lies_behind_the_start(void **state) {
    struct stage *stage = *state;
    struct bytes permission = BYTES_LITERAL("charges.read"), domain = BYTES_LITERAL("example.com");
    struct token token = make_present(&permission, &domain);
    struct token_draft draft;
    fault_init(&stage->fault, &stage->arena);
    token.not_before_ms = NOW_MS + HOUR_MS;
    stage->wish = (struct token_wish){.has_expires_at = true, .expires_at_ms = NOW_MS + HOUR_MS};
    assert_int_equal(token_check_change(&stage->wish, TOKEN_FIELD_BIT(TOKEN_FIELD_EXPIRY), &token,
                                        &stage->terms, &stage->arena, &stage->fault, &draft),
                     STATUS_INVALID);
    assert_string_equal(stage->fault.fields->field, "expires_at");
    stage->wish.has_expires_at = false; // cleared
    fault_init(&stage->fault, &stage->arena);
    assert_int_equal(token_check_change(&stage->wish, TOKEN_FIELD_BIT(TOKEN_FIELD_EXPIRY), &token,
                                        &stage->terms, &stage->arena, &stage->fault, &draft),
                     STATUS_OK);
    assert_true(draft.expires_at_ms == CLOCK_NEVER_MS);
}

// ---- the company's policy ----

static void the_companys_policy_bounds_the_lifetime_and_the_number(void **state) {
    struct stage *stage = *state;
    static const struct {
        int64_t expires_at_ms;
        struct token_policy policy;
        const char *reason;
    } cases[] = {
        {CLOCK_NEVER_MS, {0, false, 1}, NULL},
        {CLOCK_NEVER_MS, {HOUR_MS, false, 1}, "POLICY_MAX_TOKEN_LIFETIME"},
        {CLOCK_NEVER_MS, {0, true, 1}, "POLICY_REQUIRES_EXPIRY"},
        {NOW_MS + HOUR_MS, {HOUR_MS, true, 1}, NULL},
        {NOW_MS + HOUR_MS + 1, {HOUR_MS, true, 1}, "POLICY_MAX_TOKEN_LIFETIME"},
        {NOW_MS + 1, {0, true, 0}, "COMPANY_TOKENS_LIMIT"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct token_draft draft = {.expires_at_ms = cases[i].expires_at_ms};
        fault_init(&stage->fault, &stage->arena);
        enum status status = token_check_policy(&draft, &cases[i].policy, &stage->terms, &stage->fault);
        assert_int_equal(status == STATUS_OK, cases[i].reason == NULL);
        if (cases[i].reason)
            assert_string_equal(stage->fault.reason, cases[i].reason);
    }
}

// ---- never more than its maker ----

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
        struct token_maker maker = make_maker(stage, "charges.*"); // that it may do all of today's is not enough
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
    struct token_draft draft = {.permissions = wanted, .permission_count = 2, .expires_at_ms = CLOCK_NEVER_MS};
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
    maker.ips = makers;
    maker.ip_count = 2;
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
    struct ip_prefix makers[] = {parse("10.0.0.0/8")}, members[] = {parse("10.1.0.0/16"), parse("2001:db8::/32")};
    static const struct {
        const char *prefix; // NULL = an empty list
        bool may_for_maker, may_for_others;
    } cases[] = {
        {"10.1.2.0/24", true, true}, {"10.1.0.0/16", true, true},     {"10.2.0.0/16", true, false},
        {"10.0.0.0/8", true, false}, {"2001:db8::1", false, false}, {NULL, false, false},
    };
    maker.ips = makers;
    maker.ip_count = 1;
    maker.member_ips = members;
    maker.member_ip_count = 2;
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
    maker.ip_count = 0;
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
    maker.member_ips = members;
    maker.member_ip_count = 2;
    assert_false(may_make_for(stage, &draft, NOBODY, &maker));
    assert_string_equal(stage->fault.details->key, "memberAllowedIps");
    assert_string_equal(stage->fault.details->value, "10.2.0.0/16");
    assert_non_null(strstr(stage->fault.message, "that you have as a member"));
    assert_non_null(strstr(stage->fault.message, "type addresses within 10.1.0.0/16, 192.0.2.7/32"));
    maker.member_ip_count = 0;
    maker.ips = makers;
    maker.ip_count = 1;
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

// ---- grants that stand for a permission ----

static void the_grants_of_a_permission_are_itself_and_its_groups(void **state) {
    struct stage *stage = *state;
    static const struct {
        const char *permission, *grants;
    } cases[] = {
        {"charges.read", "charges.read charges.*"},
        {"charges.x.read", "charges.x.read charges.* charges.x.*"},
        {"latchkey.operate", "latchkey.operate"},
        {"gone.long.ago", "gone.long.ago gone.* gone.long.*"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t count;
        struct bytes *grants =
            token_list_grants_of(bytes_of_text(cases[i].permission), stage->catalogue, &stage->arena, &count);
        assert_non_null(grants);
        const char *joined = "";
        for (size_t k = 0; k < count; k++)
            joined = arena_format(&stage->arena, "%s%s%.*s", joined, k ? " " : "", BYTES_FORMAT(grants[k]));
        assert_string_equal(joined, cases[i].grants);
    }
}

// ---- states ----

static void a_tokens_state_is_the_first_that_a_decision_would_name(void **state) {
    (void)state;
    static const struct {
        int64_t deactivated_at_ms, suspended_until_ms, not_before_ms, expires_at_ms;
        bool is_suspended;
        enum token_state state;
    } cases[] = {
        {CLOCK_NEVER_MS, CLOCK_NEVER_MS, CLOCK_ALWAYS_MS, CLOCK_NEVER_MS, false, TOKEN_STATE_ACTIVE},
        {CLOCK_NEVER_MS, CLOCK_NEVER_MS, CLOCK_ALWAYS_MS, CLOCK_NEVER_MS, true, TOKEN_STATE_SUSPENDED},
        {CLOCK_NEVER_MS, NOW_MS + 1, CLOCK_ALWAYS_MS, CLOCK_NEVER_MS, true, TOKEN_STATE_SUSPENDED},
        {CLOCK_NEVER_MS, NOW_MS, CLOCK_ALWAYS_MS, CLOCK_NEVER_MS, true, TOKEN_STATE_ACTIVE},
        {CLOCK_NEVER_MS, CLOCK_NEVER_MS, NOW_MS, CLOCK_NEVER_MS, false, TOKEN_STATE_ACTIVE},
        {CLOCK_NEVER_MS, CLOCK_NEVER_MS, NOW_MS + 1, CLOCK_NEVER_MS, false, TOKEN_STATE_NOT_YET_VALID},
        {CLOCK_NEVER_MS, CLOCK_NEVER_MS, CLOCK_ALWAYS_MS, NOW_MS, false, TOKEN_STATE_EXPIRED},
        {CLOCK_NEVER_MS, CLOCK_NEVER_MS, CLOCK_ALWAYS_MS, NOW_MS + 1, false, TOKEN_STATE_ACTIVE},
        {CLOCK_NEVER_MS, CLOCK_NEVER_MS, NOW_MS + 1, NOW_MS, true, TOKEN_STATE_SUSPENDED},
        {NOW_MS, CLOCK_NEVER_MS, NOW_MS + 1, NOW_MS, true, TOKEN_STATE_DEACTIVATED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct token token = {.deactivated_at_ms = cases[i].deactivated_at_ms,
                              .suspended_until_ms = cases[i].suspended_until_ms,
                              .not_before_ms = cases[i].not_before_ms,
                              .expires_at_ms = cases[i].expires_at_ms,
                              .is_suspended = cases[i].is_suspended};
        assert_int_equal(token_get_state(&token, NOW_MS), cases[i].state);
    }
}

#define STAGED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGED(the_least_that_can_be_said_is_enough),
        STAGED(lengths_are_counted_in_characters),
        STAGED(metadata_is_bounded_in_pairs_keys_and_bytes),
        STAGED(every_bad_field_is_named_at_once),
        STAGED(an_unknown_permission_is_told_with_the_nearest),
        STAGED(lists_that_are_too_long_are_refused_as_a_whole),
        STAGED(domains_need_the_channel_on_which_they_count),
        STAGED(host_bits_are_fine_and_stored_canonical),
        STAGED(an_expiry_is_a_time_or_a_duration_in_the_future),
        STAGED(an_arena_that_runs_out_refuses_the_wish),
        STAGED(a_change_looks_at_what_it_names_and_keeps_the_rest),
        STAGED(a_change_is_checked_like_a_creation),
        STAGED(an_expiry_lies_behind_the_start),
        STAGED(the_companys_policy_bounds_the_lifetime_and_the_number),
        STAGED(a_token_gets_no_permission_that_its_maker_lacks),
        STAGED(a_group_is_given_by_who_holds_it_or_one_around_it),
        STAGED(a_group_too_much_is_told_with_the_names_to_type),
        STAGED(a_token_is_good_from_nowhere_that_its_maker_is_not),
        STAGED(the_makers_own_list_bounds_a_token_that_it_will_not_bind),
        STAGED(an_address_too_much_is_told_with_the_list_and_what_to_type),
        STAGED(a_token_is_good_on_no_domain_that_its_maker_is_not),
        STAGED(a_token_does_not_outlive_its_maker),
        STAGED(too_much_is_counted_and_the_first_twenty_named),
        STAGED(the_grants_of_a_permission_are_itself_and_its_groups),
        STAGED(a_tokens_state_is_the_first_that_a_decision_would_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
