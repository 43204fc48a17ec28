// What a secret must look like to be looked up.
#include <string.h>

#include "common/app/bearer.h"
#include "common/app/revision.h"
#include "common/crypto/secret.h"
#include "tests/unit/unit.h"

static const struct bearer_shape ours = {.brand = "lk"}, any = {.brand = "lk", .accepts_foreign = true};

static void secrets_of_our_making_name_their_lane(void **state) {
    (void)state;
    unsigned lane = 99;
    struct secret secret;
    secret_new("lk", SECRET_ACCESS, 17, &secret);
    assert_true(bearer_has_shape(bytes_of_text(secret.text), &ours, &lane) && lane == 17);
    assert_true(bearer_has_shape(bytes_of_text(secret.text), &any, &lane) && lane == 17);
    secret_new("lk", SECRET_LOGIN, 3, &secret);
    assert_true(bearer_has_shape(bytes_of_text(secret.text), &ours, &lane) && lane == 3);
    secret_new("lk", SECRET_INVITATION, 3, &secret);
    assert_false(bearer_has_shape(bytes_of_text(secret.text), &ours, &lane));
    assert_false(bearer_has_shape(bytes_of_text(secret.text), &any, &lane));
}

static void foreign_secrets_have_any_shape_but_a_broken_one_of_ours(void **state) {
    (void)state;
    char longest[BEARER_FOREIGN_MAX + 1];
    memset(longest, 'x', sizeof(longest));
    const struct {
        struct bytes secret;
        bool is_accepted;
    } cases[] = {
        {BYTES_LITERAL("x"), true},
        {BYTES_LITERAL("sk_live_4eC39HqLyjWDarjtT1zdp7dc"), true},
        {BYTES_LITERAL("lk"), true},
        {BYTES_LITERAL("lka"), true},
        {BYTES_LITERAL("lkb_"), true},
        {BYTES_LITERAL("LKA_x"), true},
        {bytes_of(longest, BEARER_FOREIGN_MAX), true},
        {bytes_of(longest, BEARER_FOREIGN_MAX + 1), false},
        {BYTES_EMPTY, false},
        {BYTES_LITERAL("lka_"), false},
        {BYTES_LITERAL("lka_0m349ZeX5RtOaPohwcjiVuTp4g"), false},
        {BYTES_LITERAL("lkl_x"), false},
        {BYTES_LITERAL("lki_x"), false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        unsigned lane = 99;
        bool is_accepted = bearer_has_shape(cases[i].secret, &any, &lane);
        if (is_accepted != cases[i].is_accepted || lane != LANE_DEPLOYMENT)
            fail_msg("case %zu", i);
        assert_false(bearer_has_shape(cases[i].secret, &ours, &lane));
    }
}

static void what_is_refused_says_why(void **state) {
    (void)state;
    struct arena arena;
    struct fault fault;
    struct digest digest;
    unsigned lane;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    assert_int_equal(bearer_check(BYTES_EMPTY, &any, &fault, &digest, &lane), STATUS_UNAUTHENTICATED);
    assert_string_equal(fault.reason, "SECRET_MISSING");
    fault_init(&fault, &arena);
    assert_int_equal(bearer_check(BYTES_LITERAL("x"), &ours, &fault, &digest, &lane), STATUS_UNAUTHENTICATED);
    assert_string_equal(fault.reason, "MALFORMED");
    fault_init(&fault, &arena);
    struct digest expected;
    digest_sha256(BYTES_LITERAL("x"), &expected);
    assert_int_equal(bearer_check(BYTES_LITERAL("x"), &any, &fault, &digest, &lane), STATUS_OK);
    assert_true(digest_is_equal(&digest, &expected));
    arena_fini(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_of_our_making_name_their_lane),
        cmocka_unit_test(foreign_secrets_have_any_shape_but_a_broken_one_of_ours),
        cmocka_unit_test(what_is_refused_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
