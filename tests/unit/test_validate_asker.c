// Who may ask a validator, and what of the answers they may see.
#include <string.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "services/validator/decide/validate_asker.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_image.h"

#define NOW_MS CLOCK_MANUAL_START_MS

static const char *const names[] = {"charges.read", "latchkey.validate.detail", "latchkey.validate.any"};
enum { OPERATOR_ONLY = 2 };

static const struct bytes plain_grants[] = {BYTES_LITERAL("charges.read")};
static const struct bytes all_grants[] = {BYTES_LITERAL("latchkey.validate.detail"),
                                          BYTES_LITERAL("latchkey.validate.any")};

struct fixture {
    struct validator_image made;
    struct arena arena;
    struct fault fault;
    struct uuid company, other;
    struct validate_asker asker;
};

static int set_up(void **state) {
    static struct fixture fixture;
    validator_image_init(&fixture.made, names, ARRAY_LENGTH(names), OPERATOR_ONLY);
    fixture.company = validator_image_add_company(&fixture.made, 1);
    fixture.other = validator_image_add_company(&fixture.made, 2);
    arena_init(&fixture.arena, 0);
    fault_init(&fixture.fault, &fixture.arena);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    validator_image_fini(&fixture->made);
    return 0;
}

static const struct ip_address remote = {IP_FAMILY_V4, {198, 51, 100, 7}};

static enum status identify(struct fixture *fixture, const char *secret, bool is_local) {
    const struct validate_presence presence = {
        .secret = bytes_of_text(secret), .address = remote, .is_local = is_local};
    return validate_asker_identify(fixture->made.image, &validator_image_shape, NOW_MS, &presence,
                                   &fixture->fault, &fixture->asker);
}

static struct token_row make_row(const struct fixture *fixture) {
    return validator_image_make_row(1, fixture->company, plain_grants, ARRAY_LENGTH(plain_grants));
}

static void anybody_local_sees_every_company_but_no_detail(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(identify(fixture, NULL, true), STATUS_OK);
    assert_true(validate_asker_sees(&fixture->asker, fixture->company));
    assert_true(validate_asker_sees(&fixture->asker, fixture->other));
    assert_false(validate_asker_sees_detail(&fixture->asker, fixture->company));
}

static void somebody_remote_without_a_secret_is_refused(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(identify(fixture, NULL, false), STATUS_UNAUTHENTICATED);
    assert_string_equal(fixture->fault.reason, "SECRET_MISSING");
}

static void a_remote_secret_is_refused_as_malformed_unknown_or_dead(void **state) {
    struct fixture *fixture = *state;
    struct secret unknown;
    secret_new(VALIDATOR_IMAGE_BRAND, SECRET_ACCESS, 1, &unknown);
    struct token_row row = make_row(fixture);
    row.expires_at_ms = NOW_MS;
    struct secret dead = validator_image_put(&fixture->made, row);
    const struct {
        const char *secret, *reason;
    } cases[] = {{"lka_nothing", "MALFORMED"}, {unknown.text, "UNKNOWN"}, {dead.text, "EXPIRED"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        fault_init(&fixture->fault, &fixture->arena);
        assert_int_equal(identify(fixture, cases[i].secret, false), STATUS_UNAUTHENTICATED);
        assert_string_equal(fixture->fault.reason, cases[i].reason);
    }
}

static void where_reasons_are_folded_a_dead_secret_is_as_unknown_as_any(void **state) {
    struct fixture *fixture = *state;
    struct token_row rows[] = {make_row(fixture), make_row(fixture), make_row(fixture), make_row(fixture)};
    rows[0].expires_at_ms = NOW_MS;
    rows[1].is_deactivated = true;
    rows[2].is_suspended = true;
    rows[3].not_before_ms = NOW_MS + 1;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct secret dead = validator_image_put(&fixture->made, rows[i]);
        const struct validate_presence presence = {
            .secret = bytes_of_text(dead.text), .address = remote, .folds_reasons = true};
        fault_init(&fixture->fault, &fixture->arena);
        assert_int_equal(validate_asker_identify(fixture->made.image, &validator_image_shape, NOW_MS,
                                                 &presence, &fixture->fault, &fixture->asker),
                         STATUS_UNAUTHENTICATED);
        assert_string_equal(fixture->fault.reason, "UNKNOWN");
        assert_string_equal(fixture->fault.message, "no token has this secret");
    }
}

static struct secret put_for_elsewhere(struct fixture *fixture, struct token_row row) {
    struct ip_address listed = {IP_FAMILY_V4, {203, 0, 113, 1}};
    struct ip_prefix prefix = ip_prefix_of(&listed, 24);
    row.rule.ips = &prefix;
    row.rule.ip_count = 1;
    return validator_image_put(&fixture->made, row);
}

static void a_bearer_is_refused_where_the_token_may_not_come_from(void **state) {
    struct fixture *fixture = *state;
    struct secret secret = put_for_elsewhere(fixture, make_row(fixture));
    assert_int_equal(identify(fixture, secret.text, false), STATUS_PERMISSION_DENIED);
    assert_string_equal(fixture->fault.reason, "TOKEN_IP_NOT_LISTED");
}

static enum status identify_as(struct fixture *fixture, struct secret secret, struct bytes claim) {
    const struct validate_presence presence = {
        .secret = bytes_of_text(secret.text), .claim = claim, .address = remote};
    fault_init(&fixture->fault, &fixture->arena);
    return validate_asker_identify(fixture->made.image, &validator_image_shape, NOW_MS, &presence,
                                   &fixture->fault, &fixture->asker);
}

static void assert_is_only(struct fixture *fixture, struct secret secret, const char *own,
                           const char *other) {
    assert_int_equal(identify_as(fixture, secret, BYTES_EMPTY), STATUS_OK);
    assert_int_equal(identify_as(fixture, secret, bytes_of_text(own)), STATUS_OK);
    assert_true(fixture->asker.has_bearer);
    const struct bytes wrong[] = {BYTES_LITERAL(""), bytes_of_text(other), bytes_of_text(own + 1),
                                  bytes_of(own, strlen(own) - 1)};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_int_equal(identify_as(fixture, secret, wrong[i]), STATUS_PERMISSION_DENIED);
        assert_string_equal(fixture->fault.reason, "CALLER_MISMATCH");
        assert_false(fixture->asker.has_bearer);
    }
}

static void a_bearer_that_says_who_it_is_is_that(void **state) {
    struct fixture *fixture = *state;
    struct token_row owned = make_row(fixture), of_member = make_row(fixture);
    const struct member_row row = {.member_id = {{8}}, .company_id = fixture->company};
    const struct typeid token = typeid_of(TYPEID_TOKEN, owned.token_id),
                        member = typeid_of(TYPEID_MEMBER, row.member_id);
    assert_int_equal(image_put_member(fixture->made.image, &row), STATUS_OK);
    of_member.member_id = row.member_id;
    assert_is_only(fixture, validator_image_put(&fixture->made, owned), token.text, member.text);
    assert_is_only(fixture, validator_image_put(&fixture->made, of_member), member.text, token.text);
}

static void whose_a_bearer_is_comes_before_where_it_is_and_after_whether_it_lives(void **state) {
    struct fixture *fixture = *state;
    struct token_row row = make_row(fixture), dead = make_row(fixture);
    const struct typeid own = typeid_of(TYPEID_TOKEN, row.token_id);
    struct secret secret = put_for_elsewhere(fixture, row);
    dead.is_deactivated = true;
    const struct {
        struct secret secret;
        struct bytes claim;
        const char *reason;
    } cases[] = {{secret, BYTES_EMPTY, "TOKEN_IP_NOT_LISTED"},
                 {secret, bytes_of_text(own.text), "TOKEN_IP_NOT_LISTED"},
                 {secret, BYTES_LITERAL("tok_00000000000000000000000000"), "CALLER_MISMATCH"},
                 {validator_image_put(&fixture->made, dead), BYTES_LITERAL("x"), "DEACTIVATED"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_not_equal(identify_as(fixture, cases[i].secret, cases[i].claim), STATUS_OK);
        assert_string_equal(fixture->fault.reason, cases[i].reason);
        assert_false(fixture->asker.has_bearer);
    }
}

static void a_token_for_the_ui_alone_may_not_ask(void **state) {
    struct fixture *fixture = *state;
    struct token_row row = make_row(fixture);
    row.channels = CHANNEL_BIT(CHANNEL_UI);
    struct secret secret = validator_image_put(&fixture->made, row);
    assert_int_equal(identify(fixture, secret.text, false), STATUS_PERMISSION_DENIED);
    assert_string_equal(fixture->fault.reason, "CHANNEL_NOT_ALLOWED");
}

static void a_bearer_sees_its_own_company_and_no_other(void **state) {
    struct fixture *fixture = *state;
    struct secret secret = validator_image_put(&fixture->made, make_row(fixture));
    assert_int_equal(identify(fixture, secret.text, false), STATUS_OK);
    assert_true(validate_asker_sees(&fixture->asker, fixture->company));
    assert_false(validate_asker_sees(&fixture->asker, fixture->other));
    assert_false(validate_asker_sees_detail(&fixture->asker, fixture->company));
}

static void detail_without_any_is_for_the_own_company(void **state) {
    struct fixture *fixture = *state;
    struct token_row row = make_row(fixture);
    row.rule.grants = all_grants;
    row.rule.grant_count = 1;
    struct secret secret = validator_image_put(&fixture->made, row);
    for (int is_local = 0; is_local < 2; is_local++) {
        assert_int_equal(identify(fixture, secret.text, is_local), STATUS_OK);
        assert_true(validate_asker_sees_detail(&fixture->asker, fixture->company));
        assert_false(validate_asker_sees_detail(&fixture->asker, fixture->other));
        assert_int_equal(validate_asker_sees(&fixture->asker, fixture->other), is_local);
    }
}

static void any_opens_every_company(void **state) {
    struct fixture *fixture = *state;
    struct token_row row = make_row(fixture);
    row.rule.grants = all_grants;
    row.rule.grant_count = ARRAY_LENGTH(all_grants);
    struct secret secret = validator_image_put(&fixture->made, row);
    assert_int_equal(identify(fixture, secret.text, false), STATUS_OK);
    assert_true(validate_asker_sees(&fixture->asker, fixture->other));
    assert_true(validate_asker_sees_detail(&fixture->asker, fixture->other));
}

static void a_bad_bearer_over_loopback_is_as_good_as_none(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(identify(fixture, "lka_nothing", true), STATUS_OK);
    assert_int_equal(fixture->fault.status, STATUS_OK);
    assert_false(fixture->asker.has_bearer);
    assert_true(validate_asker_sees(&fixture->asker, fixture->other));
}

static void of_a_bad_bearer_that_changes_nothing_nothing_is_left_in_the_calls_memory(void **state) {
    struct fixture *fixture = *state;
    struct token_row row = make_row(fixture);
    row.expires_at_ms = NOW_MS;
    struct secret dead = validator_image_put(&fixture->made, row);
    size_t used_bytes = fixture->arena.used_bytes;
    assert_int_equal(identify(fixture, dead.text, true), STATUS_OK);
    assert_int_equal(fixture->arena.used_bytes, used_bytes);
}

static enum status identify_certificate(struct fixture *fixture, const char *secret, uint32_t rights) {
    const struct validate_presence presence = {
        .secret = bytes_of_text(secret), .address = remote, .client_rights = rights};
    return validate_asker_identify(fixture->made.image, &validator_image_shape, NOW_MS, &presence,
                                   &fixture->fault, &fixture->asker);
}

static void a_certificate_with_any_needs_no_secret_and_a_bad_one_changes_nothing(void **state) {
    struct fixture *fixture = *state;
    const char *const secrets[] = {NULL, "lka_nothing"};
    for (size_t i = 0; i < ARRAY_LENGTH(secrets); i++) {
        assert_int_equal(identify_certificate(fixture, secrets[i], CLIENT_RIGHT_VALIDATE_ANY), STATUS_OK);
        assert_true(validate_asker_sees(&fixture->asker, fixture->company));
        assert_true(validate_asker_sees(&fixture->asker, fixture->other));
        assert_false(validate_asker_sees_detail(&fixture->asker, fixture->other));
        assert_false(fixture->asker.has_bearer);
    }
    uint32_t both = CLIENT_RIGHT_VALIDATE_ANY | CLIENT_RIGHT_VALIDATE_DETAIL;
    assert_int_equal(identify_certificate(fixture, NULL, both), STATUS_OK);
    assert_true(validate_asker_sees_detail(&fixture->asker, fixture->other));
}

static void a_certificate_without_any_needs_a_secret_as_everybody_does(void **state) {
    struct fixture *fixture = *state;
    uint32_t others =
        CLIENT_RIGHT_VALIDATE_DETAIL | CLIENT_RIGHT_VALIDATE_EXPLAIN | CLIENT_RIGHT_VALIDATE_WATCH;
    assert_int_equal(identify_certificate(fixture, NULL, others), STATUS_UNAUTHENTICATED);
    assert_string_equal(fixture->fault.reason, "SECRET_MISSING");
    struct secret secret = validator_image_put(&fixture->made, make_row(fixture));
    fault_init(&fixture->fault, &fixture->arena);
    assert_int_equal(identify_certificate(fixture, secret.text, CLIENT_RIGHT_VALIDATE_DETAIL), STATUS_OK);
    assert_true(validate_asker_sees_detail(&fixture->asker, fixture->company));
    assert_false(validate_asker_sees(&fixture->asker, fixture->other));
}

static void a_bearer_adds_to_what_a_certificate_holds(void **state) {
    struct fixture *fixture = *state;
    struct token_row row = make_row(fixture);
    row.rule.grants = all_grants;
    row.rule.grant_count = 1;
    struct secret secret = validator_image_put(&fixture->made, row);
    assert_int_equal(identify_certificate(fixture, secret.text, CLIENT_RIGHT_VALIDATE_ANY), STATUS_OK);
    assert_true(fixture->asker.has_bearer);
    assert_true(validate_asker_sees_detail(&fixture->asker, fixture->other));
}

static void a_zeroed_asker_sees_nothing(void **state) {
    struct fixture *fixture = *state;
    const struct validate_asker nobody = {0};
    assert_false(validate_asker_sees(&nobody, fixture->company));
    assert_false(validate_asker_sees(&nobody, (struct uuid){{0}}));
    assert_false(validate_asker_sees_detail(&nobody, (struct uuid){{0}}));
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(anybody_local_sees_every_company_but_no_detail),
        CASE(somebody_remote_without_a_secret_is_refused),
        CASE(a_remote_secret_is_refused_as_malformed_unknown_or_dead),
        CASE(where_reasons_are_folded_a_dead_secret_is_as_unknown_as_any),
        CASE(a_bearer_is_refused_where_the_token_may_not_come_from),
        CASE(a_bearer_that_says_who_it_is_is_that),
        CASE(whose_a_bearer_is_comes_before_where_it_is_and_after_whether_it_lives),
        CASE(a_token_for_the_ui_alone_may_not_ask),
        CASE(a_bearer_sees_its_own_company_and_no_other),
        CASE(detail_without_any_is_for_the_own_company),
        CASE(any_opens_every_company),
        CASE(a_bad_bearer_over_loopback_is_as_good_as_none),
        CASE(of_a_bad_bearer_that_changes_nothing_nothing_is_left_in_the_calls_memory),
        CASE(a_certificate_with_any_needs_no_secret_and_a_bad_one_changes_nothing),
        CASE(a_certificate_without_any_needs_a_secret_as_everybody_does),
        CASE(a_bearer_adds_to_what_a_certificate_holds),
        CASE(a_zeroed_asker_sees_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
