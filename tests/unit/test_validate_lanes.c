// Validators of a part of the lanes beside one of all: each decides about its own companies as that one does,
// and about nobody else's.
#include "common/base/clock.h"
#include "services/validator/decide/validate_decide.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_image.h"

#define NOW_MS CLOCK_MANUAL_START_MS

enum { WHOLE, LOWER, UPPER, IMAGES, COMPANIES = 64, TOKENS = 2000 };

static const struct lane_set sets[IMAGES] = {{UINT64_MAX}, {UINT32_MAX}, {~(uint64_t)UINT32_MAX}};
static const char *const names[] = {"charges.create", "charges.read"};
static const struct bytes grants[] = {BYTES_LITERAL("charges.read")};
static const struct validate_asker anybody_local = {.is_local = true};

struct stage {
    struct validator_image made[IMAGES];
    struct uuid companies[COMPANIES];
    struct secret secrets[TOKENS];
    struct seed seed;
    struct arena arena;
};

static void put_everywhere(struct stage *stage, struct token_row row, struct secret *ret_secret) {
    struct digest digest;
    secret_new(VALIDATOR_IMAGE_BRAND, SECRET_ACCESS, validator_image_get_lane(row.company_id), ret_secret);
    digest_sha256(bytes_of(ret_secret->text, SECRET_LENGTH), &digest);
    for (size_t i = 0; i < IMAGES; i++) {
        struct image *image = stage->made[i].image;
        row.fingerprint = fingerprint_of(image_get_fingerprint_key(image), &digest);
        assert_int_equal(image_put_token(image, &row), STATUS_OK);
    }
}

static struct token_row make_row(struct stage *stage, unsigned number) {
    struct uuid company_id = stage->companies[seed_next_below(&stage->seed, COMPANIES)];
    struct token_row row = validator_image_make_row(0, company_id, grants, seed_next_below(&stage->seed, 2));
    row.token_id = (struct uuid){{(uint8_t)(number >> 8), (uint8_t)number, 7}};
    row.is_deactivated = seed_next_below(&stage->seed, 4) == 0;
    row.expires_at_ms = seed_next_below(&stage->seed, 4) == 0 ? NOW_MS : CLOCK_NEVER_MS;
    return row;
}

static int set_up(void **state) {
    static struct stage stage;
    stage = (struct stage){.seed = seed_new()};
    arena_init(&stage.arena, 0);
    for (size_t i = 0; i < IMAGES; i++)
        validator_image_init_serving(&stage.made[i], sets[i], names, 2, 2);
    for (uint8_t number = 0; number < COMPANIES; number++)
        for (size_t i = 0; i < IMAGES; i++)
            stage.companies[number] = validator_image_add_company(&stage.made[i], number);
    for (unsigned number = 0; number < TOKENS; number++)
        put_everywhere(&stage, make_row(&stage, number), &stage.secrets[number]);
    *state = &stage;
    return 0;
}

static int tear_down(void **state) {
    struct stage *stage = *state;
    for (size_t i = 0; i < IMAGES; i++)
        validator_image_fini(&stage->made[i]);
    arena_fini(&stage->arena);
    return 0;
}

static struct validate_answer ask(struct stage *stage, size_t of, const struct secret *secret) {
    const struct image *image = stage->made[of].image;
    const struct validate_view view = {.image = image,
                                       .positions = lanes_get_positions(image_get_lanes(image)),
                                       .shape = &validator_image_shape,
                                       .now_ms = NOW_MS};
    const struct bytes needed = BYTES_LITERAL("charges.read");
    const struct validate_question question = {.token = bytes_of(secret->text, SECRET_LENGTH),
                                               .channel = CHANNEL_API,
                                               .permissions = &needed,
                                               .permission_count = 1};
    struct validate_answer answer;
    assert_int_equal(validate_decide(&view, &anybody_local, &question, &stage->arena, &answer), STATUS_OK);
    return answer;
}

static void expect_the_same(struct validate_answer whole, struct validate_answer part) {
    assert_int_equal(part.reason, whole.reason);
    assert_true(bytes_is_equal(part.company_id, whole.company_id));
    assert_true(bytes_is_equal(part.permissions, whole.permissions));
    assert_true(bytes_is_equal(part.revision, whole.revision));
    assert_int_equal(part.expires_at_ms, whole.expires_at_ms);
}

static void expect_nothing(struct validate_answer answer) {
    assert_int_equal(answer.reason, REASON_NOT_CURRENT);
    assert_int_equal(answer.use.kind, USE_NONE);
    assert_int_equal(answer.company_id.len + answer.token_id.len + answer.permissions.len, 0);
}

static unsigned get_lane(const struct secret *secret) {
    unsigned lane;
    assert_true(secret_check(bytes_of(secret->text, SECRET_LENGTH), VALIDATOR_IMAGE_BRAND, NULL, &lane));
    return lane;
}

static void expect_halves(struct stage *stage, const struct secret *secret) {
    bool is_lower = get_lane(secret) < 32;
    struct validate_answer whole = ask(stage, WHOLE, secret);
    assert_int_not_equal(whole.reason, REASON_NOT_CURRENT);
    expect_the_same(whole, ask(stage, is_lower ? LOWER : UPPER, secret));
    expect_nothing(ask(stage, is_lower ? UPPER : LOWER, secret));
}

static void each_half_decides_as_the_whole_does_about_its_own_and_about_nobody_else(void **state) {
    struct stage *stage = *state;
    for (unsigned i = 0; i < TOKENS; i++)
        expect_halves(stage, &stage->secrets[i]);
}

static void a_secret_that_nobody_has_is_unknown_where_its_lane_is_served(void **state) {
    struct stage *stage = *state;
    for (unsigned i = 0; i < TOKENS; i++) {
        struct secret secret;
        secret_new(VALIDATOR_IMAGE_BRAND, SECRET_LOGIN, i % 64, &secret);
        assert_int_equal(ask(stage, WHOLE, &secret).reason, REASON_UNKNOWN);
        expect_halves(stage, &secret);
    }
}

static void the_halves_hold_what_the_whole_does_and_nothing_twice(void **state) {
    struct stage *stage = *state;
    struct image_statistics of[IMAGES];
    for (size_t i = 0; i < IMAGES; i++)
        of[i] = image_get_statistics(stage->made[i].image);
    assert_int_equal(of[LOWER].tokens + of[UPPER].tokens, of[WHOLE].tokens);
    assert_int_equal(of[LOWER].companies, 32);
    assert_int_equal(of[UPPER].companies, 32);
}

// Whoever names a lane that is served, with the digest of a token that is not, has another secret.
static void a_token_that_moves_to_another_lane_is_gone_from_where_it_was(void **state) {
    struct stage *stage = *state;
    struct secret secret;
    struct token_row row = validator_image_make_row(9, stage->companies[3], grants, 1);
    put_everywhere(stage, row, &secret);
    assert_int_equal(ask(stage, LOWER, &secret).reason, REASON_OK);
    row.company_id = stage->companies[40];
    for (size_t i = 0; i < IMAGES; i++) {
        struct image *image = stage->made[i].image;
        struct digest digest;
        digest_sha256(bytes_of(secret.text, SECRET_LENGTH), &digest);
        row.fingerprint = fingerprint_of(image_get_fingerprint_key(image), &digest);
        image_begin_pass(image);
        assert_int_equal(image_put_token(image, &row), STATUS_OK);
        assert_int_equal(image_sweep(image, IMAGE_TOKEN, &row.token_id), STATUS_OK);
    }
    assert_int_equal(ask(stage, LOWER, &secret).reason, REASON_UNKNOWN);
    expect_nothing(ask(stage, UPPER, &secret));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_half_decides_as_the_whole_does_about_its_own_and_about_nobody_else),
        cmocka_unit_test(a_secret_that_nobody_has_is_unknown_where_its_lane_is_served),
        cmocka_unit_test(the_halves_hold_what_the_whole_does_and_nothing_twice),
        cmocka_unit_test(a_token_that_moves_to_another_lane_is_gone_from_where_it_was),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
