// Heads of the audit log as lines of text.
#include <string.h>

#include "common/app/audit_head_text.h"
#include "tests/unit/unit.h"

#define COMPANY "cmp_01h455vb4pex5vsknk084sn02q"
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LINE "2026-11-24T04:30:00.123Z " COMPANY " 1234 " HASH

static void a_line_reads_as_it_was_written(void **state) {
    (void)state;
    struct audit_head_line line;
    struct buffer buffer = {0};
    assert_true(audit_head_text_parse(bytes_of_text(LINE), &line));
    assert_int_equal(line.number, 1234);
    assert_int_equal(line.at_ms, 1795494600123);
    assert_int_equal(line.hash.bytes[31], 0xff);
    audit_head_text_append(&buffer, &line);
    assert_true(bytes_is_text(buffer_get_bytes(&buffer), LINE "\n"));
    buffer_fini(&buffer);
}

static void every_line_that_is_cut_is_refused(void **state) {
    (void)state;
    struct audit_head_line line;
    for (size_t len = 0; len < strlen(LINE); len++)
        assert_false(audit_head_text_parse(bytes_of(LINE, len), &line));
}

static void what_is_no_head_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        LINE " ",
        LINE "0",
        " " LINE,
        "2026-11-24T04:30:00.123Z  " COMPANY " 1234 " HASH,
        "2026-13-24T04:30:00.123Z " COMPANY " 1234 " HASH,
        "2026-11-24T04:30:00.123Z tok_01h455vb4pex5vsknk084sn02q 1234 " HASH,
        "2026-11-24T04:30:00.123Z " COMPANY " 0 " HASH,
        "2026-11-24T04:30:00.123Z " COMPANY " -1 " HASH,
        "2026-11-24T04:30:00.123Z " COMPANY " 9223372036854775808 " HASH,
        "2026-11-24T04:30:00.123Z " COMPANY
        " 1234 g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    };
    struct audit_head_line line;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(audit_head_text_parse(bytes_of_text(bad[i]), &line));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_reads_as_it_was_written),
        cmocka_unit_test(every_line_that_is_cut_is_refused),
        cmocka_unit_test(what_is_no_head_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
