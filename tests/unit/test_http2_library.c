// What --version tells of nghttp2.
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "common/grpc/http2_library.h"
#include "tests/unit/unit.h"

static void the_text_begins_with_the_version_of_the_library_that_is_linked(void **state) {
    (void)state;
    char expected[64];
    snprintf(expected, sizeof(expected), "nghttp2 %s (", nghttp2_version(0)->version_str);
    assert_memory_equal(http2_library_get_text(), expected, strlen(expected));
}

static void it_names_the_way_of_linking(void **state) {
    (void)state;
    const char *text = http2_library_get_text();
    assert_true(strstr(text, "(source, ") || strstr(text, "(static, ") || strstr(text, "(shared, "));
}

// A patch that fits no more is no reason not to build, but for us to look after it (cmake/nghttp2).
static void a_library_that_is_built_here_has_our_patches(void **state) {
    (void)state;
    const char *text = http2_library_get_text();
    if (!strstr(text, "(source, "))
        skip();
    assert_non_null(strstr(text, ", patched)"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_begins_with_the_version_of_the_library_that_is_linked),
        cmocka_unit_test(it_names_the_way_of_linking),
        cmocka_unit_test(a_library_that_is_built_here_has_our_patches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
