// Etags: every version has its own, and one that is stale is told what the present one is.
#include "common/grpc/etag.h"
#include "tests/unit/unit.h"

static struct arena arena;
static struct fault fault;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void the_present_etag_and_none_at_all_are_taken(void **state) {
    (void)state;
    const int64_t versions[] = {1, 42, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++) {
        char etag[ETAG_MAX + 1];
        etag_format(versions[i], etag);
        assert_int_equal(etag_check(etag, versions[i], &fault), STATUS_OK);
        assert_int_equal(etag_check("", versions[i], &fault), STATUS_OK);
    }
    assert_int_equal(fault.status, STATUS_OK);
}

static void any_other_is_stale_and_told_the_present_one(void **state) {
    (void)state;
    const char *stale[] = {"1", "3", "02", " 2", "2 ", "\"2\"", "x"};
    for (size_t i = 0; i < ARRAY_LENGTH(stale); i++) {
        fault_init(&fault, &arena);
        assert_int_equal(etag_check(stale[i], 2, &fault), STATUS_ABORTED);
        assert_string_equal(fault.reason, "ETAG_STALE");
        assert_string_equal(fault.details->value, "2");
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_present_etag_and_none_at_all_are_taken),
        TEST(any_other_is_stale_and_told_the_present_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
