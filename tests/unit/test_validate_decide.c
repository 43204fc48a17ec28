// Single decisions of Validate; test_validate_oracle.c asks a million at random.
#include "common/base/clock.h"
#include "services/validator/decide/validate_decide.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_image.h"

#define NOW_MS CLOCK_MANUAL_START_MS

static const char *const names[] = {"charges.create", "charges.read", "refunds.create"};
enum { NAME_COUNT = ARRAY_LENGTH(names), OPERATOR_ONLY = NAME_COUNT };

struct single {
    struct validator_image made;
    struct uuid company;
    struct secret secret;
    struct validate_view view;
    struct validate_question question;
    struct arena arena;
    struct validate_answer answer;
};

static const struct bytes read_grant[] = {BYTES_LITERAL("charges.read")};
static const struct validate_asker anybody_local = {.is_local = true};

static int set_up(void **state) {
    static struct single single;
    validator_image_init(&single.made, names, NAME_COUNT, OPERATOR_ONLY);
    single.company = validator_image_add_company(&single.made, 1);
    single.secret =
        validator_image_put(&single.made, validator_image_make_row(1, single.company, read_grant, 1));
    single.view = (struct validate_view){.image = single.made.image,
                                         .positions = lanes_get_positions(image_get_lanes(single.made.image)),
                                         .shape = &validator_image_shape,
                                         .now_ms = NOW_MS};
    single.question = (struct validate_question){.token = bytes_of(single.secret.text, SECRET_LENGTH),
                                                 .channel = CHANNEL_API};
    arena_init(&single.arena, 0);
    *state = &single;
    return 0;
}

static int tear_down(void **state) {
    struct single *single = *state;
    arena_fini(&single->arena);
    validator_image_fini(&single->made);
    return 0;
}

static enum reason decide(struct single *single) {
    assert_int_equal(
        validate_decide(&single->view, &anybody_local, &single->question, &single->arena, &single->answer),
        STATUS_OK);
    return single->answer.reason;
}

static void a_plain_question_is_admitted(void **state) {
    struct single *single = *state;
    assert_int_equal(decide(single), REASON_OK);
    struct bytes name;
    assert_true(permission_tail_next(&single->answer.permissions, &name));
    assert_true(bytes_is_text(name, "charges.read"));
    assert_false(permission_tail_next(&single->answer.permissions, &name));
}

static void an_empty_question_is_malformed(void **state) {
    struct single *single = *state;
    single->question = (struct validate_question){0};
    assert_int_equal(decide(single), REASON_MALFORMED);
}

static void any_change_of_a_secret_is_malformed_before_any_look_up(void **state) {
    struct single *single = *state;
    single->view.image = NULL; // nothing can be looked up
    for (size_t at = 0; at < SECRET_LENGTH; at++) {
        struct secret changed = single->secret;
        changed.text[at] = changed.text[at] == 'x' ? 'y' : 'x';
        single->question.token = bytes_of(changed.text, SECRET_LENGTH);
        assert_int_equal(decide(single), REASON_MALFORMED);
    }
    for (size_t len = 0; len < SECRET_LENGTH; len++) {
        single->question.token = bytes_of(single->secret.text, len);
        assert_int_equal(decide(single), REASON_MALFORMED);
    }
}

static void a_secret_of_another_brand_or_of_an_invitation_is_malformed(void **state) {
    struct single *single = *state;
    struct secret secret;
    secret_new("zz", SECRET_ACCESS, 1, &secret);
    single->question.token = bytes_of(secret.text, SECRET_LENGTH);
    assert_int_equal(decide(single), REASON_MALFORMED);
    secret_new(VALIDATOR_IMAGE_BRAND, SECRET_INVITATION, 1, &secret);
    assert_int_equal(decide(single), REASON_MALFORMED);
}

static void an_end_counts_to_the_millisecond(void **state) {
    struct single *single = *state;
    struct token_row row = validator_image_make_row(2, single->company, read_grant, 1);
    row.expires_at_ms = NOW_MS;
    struct secret secret = validator_image_put(&single->made, row);
    single->question.token = bytes_of(secret.text, SECRET_LENGTH);
    single->view.now_ms = NOW_MS - 1;
    assert_int_equal(decide(single), REASON_OK);
    single->view.now_ms = NOW_MS;
    assert_int_equal(decide(single), REASON_EXPIRED);
}

static void only_what_was_admitted_or_came_too_late_is_a_use(void **state) {
    struct single *single = *state;
    struct digest digest;
    digest_sha256(single->question.token, &digest);
    single->question.client_ip = BYTES_LITERAL("203.0.113.7");
    assert_int_equal(decide(single), REASON_OK);
    const struct use *use = &single->answer.use;
    assert_int_equal(use->kind, USE_ADMITTED);
    assert_int_equal(use->at_ms, NOW_MS);
    assert_int_equal(use->address.bytes[3], 7);
    assert_true(digest_is_equal(&use->digest, &digest));

    single->question.channel = CHANNEL_UI;
    assert_int_equal(decide(single), REASON_CHANNEL_NOT_ALLOWED);
    assert_int_equal(use->kind, USE_NONE);
    single->question.token = BYTES_EMPTY;
    assert_int_equal(decide(single), REASON_MALFORMED);
    assert_int_equal(use->kind, USE_NONE);

    struct token_row row = validator_image_make_row(2, single->company, read_grant, 1);
    row.expires_at_ms = NOW_MS;
    struct secret secret = validator_image_put(&single->made, row);
    single->question.token = bytes_of(secret.text, SECRET_LENGTH);
    single->view.folds_reasons = true;
    assert_int_equal(decide(single), REASON_UNKNOWN); // as it is told
    assert_int_equal(use->kind, USE_TOO_LATE);
}

// One who may ask about his own company only.
static void what_is_hidden_is_told_like_what_is_not_there(void **state) {
    struct single *single = *state;
    struct secret unknown;
    secret_new(VALIDATOR_IMAGE_BRAND, SECRET_ACCESS, validator_image_get_lane(single->company), &unknown);
    const struct validate_asker stranger = {.company_id = {{9}}, .has_bearer = true, .has_detail = true};
    const char *const texts[] = {single->secret.text, unknown.text};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        single->question.token = bytes_of(texts[i], SECRET_LENGTH);
        enum status status =
            validate_decide(&single->view, &stranger, &single->question, &single->arena, &single->answer);
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(single->answer.reason, REASON_UNKNOWN);
        assert_int_equal(single->answer.token_id.len, 0);
        assert_int_equal(single->answer.company_id.len, 0);
        assert_int_equal(single->answer.use.kind, USE_NONE);
        assert_int_equal(single->answer.revision.len, REVISION_TEXT_LENGTH);
    }
}

static void in_an_empty_image_every_secret_is_unknown(void **state) {
    struct single *single = *state;
    struct validator_image empty;
    validator_image_init(&empty, names, NAME_COUNT, OPERATOR_ONLY);
    single->view.image = empty.image;
    single->view.positions = lanes_get_positions(image_get_lanes(empty.image));
    assert_int_equal(decide(single), REASON_UNKNOWN);
    validator_image_fini(&empty);
}

static void an_unreadable_address_is_refused_only_where_a_list_applies(void **state) {
    struct single *single = *state;
    single->question.client_ip = BYTES_LITERAL("not an address");
    assert_int_equal(decide(single), REASON_OK);
    struct ip_prefix everybody = {.address = {.family = IP_FAMILY_V4}};
    struct token_row row = validator_image_make_row(2, single->company, read_grant, 1);
    row.rule.ips = &everybody;
    row.rule.ip_count = 1;
    struct secret secret = validator_image_put(&single->made, row);
    single->question.token = bytes_of(secret.text, SECRET_LENGTH);
    assert_int_equal(decide(single), REASON_TOKEN_IP_NOT_LISTED);
}

static void the_largest_question_is_decided(void **state) {
    struct single *single = *state;
    struct bytes many[VALIDATE_PERMISSIONS_MAX];
    for (size_t i = 0; i < VALIDATE_PERMISSIONS_MAX; i++)
        many[i] = BYTES_LITERAL("charges.read");
    single->question.permissions = single->question.any_permissions = many;
    single->question.permission_count = single->question.any_permission_count = VALIDATE_PERMISSIONS_MAX;
    assert_int_equal(decide(single), REASON_OK);
    many[VALIDATE_PERMISSIONS_MAX - 1] = BYTES_LITERAL("charges.create");
    assert_int_equal(decide(single), REASON_PERMISSION_MISSING);
}

// A token that was granted something that its owner may not do, and whose owner may do more.
static void put_partly_held(struct single *single) {
    static const struct bytes granted[] = {BYTES_LITERAL("charges.create"), BYTES_LITERAL("charges.read")};
    static const struct bytes owners[] = {BYTES_LITERAL("charges.read"), BYTES_LITERAL("refunds.create")};
    struct image *image = single->made.image;
    const struct role_row role = {
        .role_id = {{7}}, .company_id = single->company, .grants = owners, .grant_count = 2};
    const struct member_row member = {
        .member_id = {{8}}, .company_id = single->company, .role_ids = &role.role_id, .role_count = 1};
    struct token_row token = validator_image_make_row(2, single->company, granted, 2);
    token.member_id = member.member_id;
    assert_int_equal(image_put_role(image, &role), STATUS_OK);
    assert_int_equal(image_put_member(image, &member), STATUS_OK);
    single->secret = validator_image_put(&single->made, token);
}

static void what_is_granted_and_what_the_owner_may_is_told_where_both_say_so(void **state) {
    struct single *single = *state;
    struct bytes name;
    put_partly_held(single);
    assert_int_equal(decide(single), REASON_OK);
    assert_true(permission_tail_next(&single->answer.permissions, &name));
    assert_true(bytes_is_text(name, "charges.read"));
    assert_false(permission_tail_next(&single->answer.permissions, &name));
}

static bool decide_in_a_new_arena(void *context) {
    struct single *single = context;
    struct arena arena;
    arena_init(&arena, 0);
    enum status status =
        validate_decide(&single->view, &anybody_local, &single->question, &arena, &single->answer);
    arena_fini(&arena);
    return status == STATUS_OK;
}

static void without_memory_nothing_is_decided(void **state) {
    put_partly_held(*state);
    allocation_failure_try_each(decide_in_a_new_arena, *state);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_plain_question_is_admitted),
        CASE(an_empty_question_is_malformed),
        CASE(any_change_of_a_secret_is_malformed_before_any_look_up),
        CASE(a_secret_of_another_brand_or_of_an_invitation_is_malformed),
        CASE(an_end_counts_to_the_millisecond),
        CASE(only_what_was_admitted_or_came_too_late_is_a_use),
        CASE(what_is_hidden_is_told_like_what_is_not_there),
        CASE(in_an_empty_image_every_secret_is_unknown),
        CASE(an_unreadable_address_is_refused_only_where_a_list_applies),
        CASE(the_largest_question_is_decided),
        CASE(what_is_granted_and_what_the_owner_may_is_told_where_both_say_so),
        CASE(without_memory_nothing_is_decided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
