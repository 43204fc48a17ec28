// What a script is told of a failure: above all whether the same again may help.
#include <stdlib.h>

#include "services/cli/cli.h"
#include "tests/unit/unit.h"

static const struct {
    enum status status;
    const char *reason;
    uint32_t retry_after_ms;
    enum exit_code code;
} failures[] = {
    {STATUS_INVALID, "INVALID_ARGUMENT", 0, EXIT_CODE_USAGE},
    {STATUS_PERMISSION_DENIED, "PERMISSION_MISSING", 0, EXIT_CODE_NOT_ALLOWED},
    {STATUS_UNAVAILABLE, "OVERLOADED", 0, EXIT_CODE_UNAVAILABLE},
    {STATUS_UNAVAILABLE, "TLS_FAILED", 1000, EXIT_CODE_FAILED},
    {STATUS_OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN", 1000, EXIT_CODE_UNAVAILABLE},
    {STATUS_ABORTED, "ETAG_STALE", 0, EXIT_CODE_REFUSED},
    {STATUS_ABORTED, "CONFLICT", 50, EXIT_CODE_UNAVAILABLE},
    {STATUS_EXHAUSTED, "TOO_MANY_TOKENS", 0, EXIT_CODE_REFUSED},
    {STATUS_EXHAUSTED, "RATE_LIMITED", 60000, EXIT_CODE_UNAVAILABLE},
    {STATUS_FAILED_PRECONDITION, NULL, 0, EXIT_CODE_REFUSED},
    {STATUS_INTERNAL, "INTERNAL", 0, EXIT_CODE_FAILED},
};

static void what_is_said_to_be_tried_again_ends_with_the_code_for_that(void **state) {
    (void)state;
    char *said = NULL;
    size_t said_len = 0;
    struct cli cli = {.err = open_memstream(&said, &said_len), .is_json = true};
    arena_init(&cli.arena, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(failures); i++) {
        struct fault fault;
        fault_init(&fault, &cli.arena);
        fault_set(&fault, failures[i].status, failures[i].reason, "no");
        fault_set_retry_after_ms(&fault, failures[i].retry_after_ms);
        enum exit_code code = cli_fail_with_fault(&cli, &fault);
        if (code != failures[i].code)
            fail_msg("row %zu: %d", i, (int)code);
    }
    arena_fini(&cli.arena);
    fclose(cli.err);
    free(said);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_to_be_tried_again_ends_with_the_code_for_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
