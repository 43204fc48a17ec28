// The table of outcomes.
#include <ctype.h>
#include <string.h>

#include "common/base/status.h"
#include "tests/unit/unit.h"

static void ok_is_zero(void **state) {
    (void)state;
    assert_int_equal(STATUS_OK, 0);
    assert_string_equal(status_get_name(STATUS_OK), "OK");
}

static void every_status_has_a_name_of_its_own_and_a_sentence(void **state) {
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++) {
        assert_true(strlen(status_get_text((enum status)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(status_get_name((enum status)i), status_get_name((enum status)j));
    }
}

static void names_are_upper_case_with_underscores(void **state) {
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++)
        for (const char *at = status_get_name((enum status)i); *at; at++)
            assert_true(*at == '_' || isupper((unsigned char)*at));
}

static void a_number_that_is_no_status_reads_as_an_internal_error(void **state) {
    (void)state;
    assert_string_equal(status_get_name(STATUS_COUNT), "INTERNAL");
    assert_string_equal(status_get_text((enum status)0x7FFFFFFF), status_get_text(STATUS_INTERNAL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ok_is_zero),
        cmocka_unit_test(every_status_has_a_name_of_its_own_and_a_sentence),
        cmocka_unit_test(names_are_upper_case_with_underscores),
        cmocka_unit_test(a_number_that_is_no_status_reads_as_an_internal_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
