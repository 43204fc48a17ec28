// What a token may be like.
#include <stdio.h>
#include <string.h>

#include "common/access/decision.h"
#include "common/base/clock.h"
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
        STAGED(the_grants_of_a_permission_are_itself_and_its_groups),
        STAGED(a_tokens_state_is_the_first_that_a_decision_would_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
