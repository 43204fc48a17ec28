// The calls of the command line, by what may be done twice.
#include <string.h>

#include "common/base/bytes.h"
#include "common/protobuf/field.h"
#include "services/cli/rpc.h"
#include "tests/unit/unit.h"

// Those without a request id are repeated by themselves only if they are listed here as readings.
static void the_changes_without_a_request_id_are_no_readings(void **state) {
    (void)state;
    static const char *const changes[] = {"ReportLeakedToken"};
    for (int id = 0; id < RPC_COUNT; id++) {
        const struct rpc *rpc = rpc_get((enum rpc_id)id);
        bool is_change = field_exists(rpc->request, "request_id");
        for (size_t i = 0; i < ARRAY_LENGTH(changes); i++)
            is_change |= strcmp(strrchr(rpc->path, '/') + 1, changes[i]) == 0;
        if (contract_is_reading(rpc->path) == is_change)
            fail_msg("%s", rpc->path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_changes_without_a_request_id_are_no_readings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
