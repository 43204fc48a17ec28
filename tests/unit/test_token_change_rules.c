// When a token that is there may be changed: as pure rules.
#include <string.h>

#include "common/access/decision.h"
#include "common/base/clock.h"
#include "services/token/token_change_rules.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1800000000000)

struct stage {
    struct arena arena;
    struct fault fault;
    const struct permission_catalogue *catalogue;
    struct permission_set *held; // charges.read alone
};

static int begin(void **state) {
    static struct stage stage;
    static const struct permission_definition definitions[] = {
        {.name = {(const uint8_t *)"charges.create", 14}},
        {.name = {(const uint8_t *)"charges.read", 12}},
        {.name = {(const uint8_t *)"refunds.create", 14}},
    };
    arena_init(&stage.arena, 0);
    fault_init(&stage.fault, &stage.arena);
    stage.catalogue = permission_catalogue_new_in_arena(&stage.arena, NULL, definitions, 3);
    stage.held = permission_set_new_in_arena(&stage.arena, permission_catalogue_get_limit(stage.catalogue));
    assert_true(permission_catalogue_expand(stage.catalogue, BYTES_LITERAL("charges.read"), stage.held));
    *state = &stage;
    return 0;
}

static int end(void **state) {
    struct stage *stage = *state;
    arena_fini(&stage->arena);
    return 0;
}

static struct token make_token(void) {
    return (struct token){.label = "a",
                          .description = "",
                          .external_id = "",
                          .channels = CHANNEL_BIT(CHANNEL_API),
                          .not_before_ms = CLOCK_ALWAYS_MS,
                          .expires_at_ms = CLOCK_NEVER_MS,
                          .suspended_until_ms = CLOCK_NEVER_MS,
                          .deactivated_at_ms = CLOCK_NEVER_MS};
}

static const char *get_reason(const struct stage *stage, enum status status) {
    assert_int_equal(status, stage->fault.status);
    return status == STATUS_OK ? "" : stage->fault.reason;
}

static void what_has_ended_is_told_by_how(void **state) {
    struct stage *stage = *state;
    struct token token = make_token();
    assert_int_equal(token_check_not_ended(&token, NOW_MS, &stage->fault), STATUS_OK);
    token.expires_at_ms = NOW_MS + 1;
    assert_int_equal(token_check_not_ended(&token, NOW_MS, &stage->fault), STATUS_OK);
    token.expires_at_ms = NOW_MS;
    assert_int_equal(token_check_not_deactivated(&token, &stage->fault), STATUS_OK);
    assert_string_equal(get_reason(stage, token_check_not_ended(&token, NOW_MS, &stage->fault)),
                        "TOKEN_EXPIRED");
    fault_init(&stage->fault, &stage->arena);
    token.deactivated_at_ms = NOW_MS - 1;
    assert_string_equal(get_reason(stage, token_check_not_ended(&token, NOW_MS, &stage->fault)),
                        "TOKEN_DEACTIVATED");
}

// ---- widening ----

static struct token_maker make_caller(const struct stage *stage) {
    return (struct token_maker){
        .catalogue = stage->catalogue, .permissions = stage->held, .expires_at_ms = CLOCK_NEVER_MS};
}

static bool may_become(struct stage *stage, const struct token *before, const struct token_draft *after) {
    struct token_maker caller = make_caller(stage);
    fault_init(&stage->fault, &stage->arena);
    enum status status = token_check_widening(before, after, &caller, &stage->arena, &stage->fault);
    assert_true(status == STATUS_OK || strcmp(stage->fault.reason, "GRANT_EXCEEDS_CALLER") == 0);
    return status == STATUS_OK;
}

static void a_token_may_stay_as_it_is_and_shrink_whatever_the_caller_holds(void **state) {
    struct stage *stage = *state;
    struct bytes grants[] = {BYTES_LITERAL("charges.*"), BYTES_LITERAL("refunds.create"),
                             BYTES_LITERAL("gone.since")};
    struct token token = make_token();
    token.permissions = grants;
    token.permission_count = 3;
    struct token_draft after = token_draft_of(&token);
    assert_true(may_become(stage, &token, &after));
    after.permission_count = 1;
    assert_true(may_become(stage, &token, &after));
    after.permission_count = 0;
    assert_true(may_become(stage, &token, &after));
    after.expires_at_ms = NOW_MS + 1;
    assert_true(may_become(stage, &token, &after));
}

static void whatever_grows_is_measured_whole_by_the_caller(void **state) {
    struct stage *stage = *state;
    struct bytes read[] = {BYTES_LITERAL("charges.read")};
    struct bytes create[] = {BYTES_LITERAL("charges.create")};
    struct token token = make_token();
    struct token_draft after = token_draft_of(&token);
    after.permissions = read;
    after.permission_count = 1;
    assert_true(may_become(stage, &token, &after));
    after.permissions = create;
    assert_false(may_become(stage, &token, &after));

    // Not the expiry alone: with it all that the token may do lasts longer.
    token.permissions = create;
    token.permission_count = 1;
    token.expires_at_ms = NOW_MS;
    after = token_draft_of(&token);
    after.expires_at_ms = NOW_MS + 1;
    assert_false(may_become(stage, &token, &after));
    token.permissions = read;
    after.permissions = read;
    assert_true(may_become(stage, &token, &after));
}

static void names_do_not_become_their_group_by_themselves(void **state) {
    struct stage *stage = *state;
    struct bytes names[] = {BYTES_LITERAL("charges.create"), BYTES_LITERAL("charges.read")};
    struct bytes group[] = {BYTES_LITERAL("charges.*")};
    struct token_maker caller = make_caller(stage);
    struct token token = make_token();
    struct token_draft after = token_draft_of(&token);
    token.permissions = names;
    token.permission_count = 2;
    after.permissions = group;
    after.permission_count = 1;
    assert_false(may_become(stage, &token, &after));
    assert_true(permission_catalogue_expand(stage->catalogue, group[0], stage->held));
    assert_false(may_become(stage, &token, &after));
    caller.groups = (struct group_list){group, 1};
    fault_init(&stage->fault, &stage->arena);
    assert_int_equal(token_check_widening(&token, &after, &caller, &stage->arena, &stage->fault), STATUS_OK);
}

static void a_company_token_is_widened_within_the_callers_own_list(void **state) {
    struct stage *stage = *state;
    struct ip_prefix listed, other;
    struct token_maker caller = make_caller(stage);
    struct token token = make_token();
    assert_int_equal(ip_prefix_parse(BYTES_LITERAL("192.0.2.0/24"), &listed), IP_PARSE_OK);
    assert_int_equal(ip_prefix_parse(BYTES_LITERAL("203.0.113.7"), &other), IP_PARSE_OK);
    token.allowed_ips = &other;
    token.allowed_ip_count = 1;
    struct token_draft after = token_draft_of(&token);
    caller.member_id = (struct uuid){{1}};
    caller.member_ips = (struct prefix_list){&listed, 1};
    assert_int_equal(token_check_widening(&token, &after, &caller, &stage->arena, &stage->fault), STATUS_OK);
    after.ip_count = 0; // from one address to any
    assert_string_equal(
        get_reason(stage, token_check_widening(&token, &after, &caller, &stage->arena, &stage->fault)),
        "GRANT_EXCEEDS_CALLER");
    fault_init(&stage->fault, &stage->arena);
    token.member_id = caller.member_id; // then the list binds the token, too
    assert_int_equal(token_check_widening(&token, &after, &caller, &stage->arena, &stage->fault), STATUS_OK);
}

// ---- lock-out ----

static struct ip_address parse_address(const char *text) {
    struct ip_address address;
    assert_int_equal(ip_address_parse(bytes_of_text(text), &address), IP_PARSE_OK);
    return address;
}

static void a_list_that_does_not_hold_its_caller_locks_it_out(void **state) {
    struct stage *stage = *state;
    struct ip_prefix ips[2];
    assert_int_equal(ip_prefix_parse(BYTES_LITERAL("192.0.2.0/24"), &ips[0]), IP_PARSE_OK);
    assert_int_equal(ip_prefix_parse(BYTES_LITERAL("2001:db8::/32"), &ips[1]), IP_PARSE_OK);
    struct token_draft draft = {.ips = ips, .ip_count = 2};
    struct ip_address none = {0};
    static const struct {
        const char *address; // NULL = unknown
        size_t count;
        bool is_locked_out;
    } cases[] = {
        {"192.0.2.7", 2, false}, {"2001:db8::1", 2, false},  {"2001:db8::1", 1, true},
        {"192.0.3.1", 2, true},  {"198.51.100.1", 0, false}, {NULL, 2, true},
        {NULL, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct ip_address address = cases[i].address ? parse_address(cases[i].address) : none;
        fault_init(&stage->fault, &stage->arena);
        draft.ip_count = cases[i].count;
        enum status status = token_check_lock_out(&draft, &address, &stage->fault);
        assert_string_equal(get_reason(stage, status), cases[i].is_locked_out ? "LOCKS_OUT_CALLER" : "");
    }
}

// ---- rotation ----

static void a_third_secret_needs_the_second_to_be_given_up(void **state) {
    struct stage *stage = *state;
    struct token_secret secrets[2] = {{.expires_at_ms = CLOCK_NEVER_MS}, {.expires_at_ms = NOW_MS + 5}};
    struct token token = make_token();
    token.secrets = secrets;
    token.secret_count = 1;
    assert_int_equal(token_check_rotation(&token, false, &stage->fault), STATUS_OK);
    assert_int_equal(token_check_rotation(&token, true, &stage->fault), STATUS_OK);
    token.secret_count = 2;
    assert_int_equal(token_check_rotation(&token, true, &stage->fault), STATUS_OK);
    assert_string_equal(get_reason(stage, token_check_rotation(&token, false, &stage->fault)),
                        "ROTATION_IN_GRACE");
    assert_string_equal(stage->fault.details->value, "1800000000005");
}

static void a_members_token_is_rotated_by_that_member_alone(void **state) {
    struct stage *stage = *state;
    const struct uuid ada = {{1}}, bob = {{2}}, nobody = {{0}};
    static const struct {
        uint8_t owner, caller; // 0 = the company
        bool may;
    } cases[] = {{0, 0, true}, {0, 1, true}, {1, 1, true}, {1, 2, false}, {1, 0, false}, {2, 1, false}};
    const struct uuid *ids[] = {&nobody, &ada, &bob};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct token token = make_token();
        token.member_id = *ids[cases[i].owner];
        fault_init(&stage->fault, &stage->arena);
        enum status status = token_check_owner(&token, *ids[cases[i].caller], &stage->fault);
        assert_string_equal(get_reason(stage, status), cases[i].may ? "" : "ROTATE_OTHERS_TOKEN");
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_has_ended_is_told_by_how),
        CASE(a_token_may_stay_as_it_is_and_shrink_whatever_the_caller_holds),
        CASE(whatever_grows_is_measured_whole_by_the_caller),
        CASE(names_do_not_become_their_group_by_themselves),
        CASE(a_company_token_is_widened_within_the_callers_own_list),
        CASE(a_list_that_does_not_hold_its_caller_locks_it_out),
        CASE(a_third_secret_needs_the_second_to_be_given_up),
        CASE(a_members_token_is_rotated_by_that_member_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
