// A million random decisions against the plain ones of plain_access.h, and that nothing admits by being
// absent.
#include "common/access/decision.h"
#include "common/base/clock.h"
#include "tests/unit/plain_access.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static void a_million_decisions_are_those_of_the_plain_rules(void **state) {
    (void)state;
    enum { SUBJECTS = 50000, REQUESTS = 20 };
    struct seed seed = seed_new();
    size_t counts[REASON_COUNT] = {0};
    struct arena arena;
    arena_init(&arena, 0);
    for (unsigned i = 0; i < SUBJECTS; i++) {
        struct plain_subject plain;
        plain_draw_subject(&seed, &plain);
        struct access_subject subject = plain_make_subject(&plain, &arena);
        for (unsigned k = 0; k < REQUESTS; k++) {
            struct plain_request asked;
            plain_draw_request(&seed, &plain, &asked);
            struct access_request request = plain_make_request(&asked, &arena);
            enum reason reason = access_decide(&subject, &request), expected = plain_decide(&plain, &asked);
            if (reason != expected)
                fail_msg("subject %u, request %u: %s in place of %s", i, k, reason_get_name(reason),
                         reason_get_name(expected));
            counts[reason]++;
        }
        arena_reset(&arena);
    }
    arena_fini(&arena);
    // Otherwise the comparison would have proved nothing about it.
    assert_true(counts[REASON_OK] > 1000);
    for (enum reason check = ACCESS_FIRST_CHECK; check <= ACCESS_LAST_CHECK; check++)
        assert_true(counts[check] > 1000);
}

static void each_check_by_itself_is_that_of_the_plain_rules(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct arena arena;
    arena_init(&arena, 0);
    for (unsigned i = 0; i < 20000; i++) {
        struct plain_subject plain;
        struct plain_request asked;
        plain_draw_subject(&seed, &plain);
        plain_draw_request(&seed, &plain, &asked);
        struct access_subject subject = plain_make_subject(&plain, &arena);
        struct access_request request = plain_make_request(&asked, &arena);
        for (enum reason check = 0; check < REASON_COUNT; check++)
            assert_int_equal(access_passes(check, &subject, &request), plain_passes(check, &plain, &asked));
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

// A token that passes everything, without any list.
static struct access_subject make_good_subject(void) {
    return (struct access_subject){
        .not_before_ms = CLOCK_ALWAYS_MS,
        .expires_at_ms = CLOCK_NEVER_MS,
        .kind = TOKEN_KIND_ACCESS,
        .channels = CHANNEL_BITS_ALL,
    };
}

static const struct access_request good_request = {.now_ms = PLAIN_NOW_MS, .channel = CHANNEL_API};

static void nothing_and_zeroes_are_refused(void **state) {
    (void)state;
    struct access_subject zero = {0}, good = make_good_subject();
    struct access_request zero_request = {0};
    assert_int_equal(access_decide(NULL, &good_request), REASON_UNKNOWN);
    assert_int_equal(access_decide(&zero, &good_request), REASON_UNKNOWN);
    assert_int_equal(access_decide(&good, &zero_request), REASON_CHANNEL_NOT_ALLOWED);
    assert_int_equal(access_decide(&good, &good_request), REASON_OK);
    zero.kind = TOKEN_KIND_ACCESS;
    assert_int_equal(access_decide(&zero, &good_request), REASON_EXPIRED);
}

static void a_list_that_could_not_be_loaded_refuses(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    struct access_request request = good_request;
    request.address = (struct ip_address){.family = IP_FAMILY_V4, .bytes = {10, 0, 0, 1}};
    const struct ip_set *nobody = ip_set_new_in_arena(&arena, NULL, 0);
    assert_non_null(nobody);

    struct access_subject subject = make_good_subject();
    subject.is_whitelist_enabled = true;
    assert_int_equal(access_decide(&subject, &request), REASON_COMPANY_IP_NOT_LISTED);
    subject = make_good_subject();
    subject.member_ips = nobody;
    assert_int_equal(access_decide(&subject, &request), REASON_MEMBER_IP_NOT_LISTED);
    subject = make_good_subject();
    subject.token_ips = nobody;
    assert_int_equal(access_decide(&subject, &request), REASON_TOKEN_IP_NOT_LISTED);
    subject = make_good_subject();
    subject.domains = domain_set_new_in_arena(&arena, NULL, 0);
    assert_non_null(subject.domains);
    request.channel = CHANNEL_UI;
    request.domain = BYTES_LITERAL("example.com");
    assert_int_equal(access_decide(&subject, &request), REASON_DOMAIN_NOT_LISTED);
    arena_fini(&arena);
}

static void an_unknown_permission_is_held_by_nobody(void **state) {
    (void)state;
    static const uint32_t unknown[] = {PERMISSION_ID_NONE};
    struct arena arena;
    arena_init(&arena, 0);
    struct permission_set *all = permission_set_new_in_arena(&arena, 640);
    assert_non_null(all);
    for (uint32_t id = 0; id < 640; id++)
        permission_set_add(all, id);
    struct access_subject subject = make_good_subject();
    subject.granted = subject.owner = all;
    struct access_request request = good_request;
    request.permissions = unknown;
    request.permission_count = 1;
    assert_int_equal(access_decide(&subject, &request), REASON_PERMISSION_MISSING);
    request.permission_count = 0;
    request.any_permissions = unknown;
    request.any_permission_count = 1;
    assert_int_equal(access_decide(&subject, &request), REASON_PERMISSION_MISSING);
    arena_fini(&arena);
}

static void what_a_token_may_do_is_one_set(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct arena arena;
    arena_init(&arena, 0);
    for (unsigned i = 0; i < 2000; i++) {
        struct plain_subject plain;
        plain_draw_subject(&seed, &plain);
        struct access_subject subject = plain_make_subject(&plain, &arena);
        struct permission_set *set = access_get_permissions(&subject, 200, &arena);
        assert_non_null(set);
        for (uint32_t id = 0; id < 260; id++)
            assert_int_equal(permission_set_has(set, id), access_has_permission(&subject, id));
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

static void of_a_good_token_is_said_how_it_is_used_and_nothing_else(void **state) {
    (void)state;
    static const bool is_of_use[REASON_COUNT] = {[REASON_OK] = true,
                                                 [REASON_CHANNEL_NOT_ALLOWED] = true,
                                                 [REASON_COMPANY_IP_NOT_LISTED] = true,
                                                 [REASON_MEMBER_IP_NOT_LISTED] = true,
                                                 [REASON_TOKEN_IP_NOT_LISTED] = true,
                                                 [REASON_DOMAIN_NOT_LISTED] = true,
                                                 [REASON_PERMISSION_MISSING] = true};
    for (enum reason reason = 0; reason < REASON_COUNT; reason++)
        assert_int_equal(reason_is_of_use(reason), is_of_use[reason]);
}

static void every_reason_has_its_name(void **state) {
    (void)state;
    assert_string_equal(reason_get_name(REASON_UNSPECIFIED), "UNSPECIFIED");
    assert_string_equal(reason_get_name(REASON_TOKEN_IP_NOT_LISTED), "TOKEN_IP_NOT_LISTED");
    assert_string_equal(reason_get_name(REASON_NOT_CURRENT), "NOT_CURRENT");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_and_zeroes_are_refused),
        cmocka_unit_test(a_list_that_could_not_be_loaded_refuses),
        cmocka_unit_test(an_unknown_permission_is_held_by_nobody),
        cmocka_unit_test(what_a_token_may_do_is_one_set),
        cmocka_unit_test(of_a_good_token_is_said_how_it_is_used_and_nothing_else),
        cmocka_unit_test(every_reason_has_its_name),
        cmocka_unit_test(each_check_by_itself_is_that_of_the_plain_rules),
        cmocka_unit_test(a_million_decisions_are_those_of_the_plain_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
