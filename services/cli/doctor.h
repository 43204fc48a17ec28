// What `latchkey doctor` finds: a line for each thing that it has looked at, and what to do where something
// is amiss. Shown as it is found, or with --json at the end.
#ifndef LATCHKEY_SERVICES_CLI_DOCTOR_H
#define LATCHKEY_SERVICES_CLI_DOCTOR_H

#include <jansson.h>

#include "common/base/compiler.h"
#include "services/cli/cli.h"

enum verdict {
    VERDICT_OK,
    VERDICT_WARN, // it works, and may not for long
    VERDICT_FAIL, // it does not work, or breaks a promise
    VERDICT_COUNT
};

struct doctor {
    struct cli *cli;
    json_t *findings; // NULL without --json
    unsigned counts[VERDICT_COUNT];
};

void doctor_init(struct doctor *doctor, struct cli *cli);

// `thing` is what was looked at, "schema"; `advice` what to do, NULL = nothing; both without a full stop.
void doctor_tell(struct doctor *doctor, enum verdict verdict, const char *thing, const char *advice,
                 const char *format, ...) PRINTF_LIKE(5, 6);

// Sums it up. EXIT_CODE_NO where something has failed.
enum exit_code doctor_end(struct doctor *doctor);

#endif
