// The exported heads of one company's audit log, out of the file that servers append to.
#ifndef LATCHKEY_SERVICES_CLI_AUDIT_HEADS_H
#define LATCHKEY_SERVICES_CLI_AUDIT_HEADS_H

#include <stddef.h>

#include "common/app/audit_head_text.h"
#include "common/base/compiler.h"
#include "services/cli/cli.h"

struct audit_heads {
    struct audit_head_line *lines; // by number; those of one number are all there
    size_t count;
    size_t unread; // lines that are no heads, such as one that a crash cut short
};

// "-" is standard input. EXIT_CODE_DONE or what cli_fail() said.
MUST_CHECK enum exit_code audit_heads_read(struct cli *cli, const char *path, struct uuid company_id,
                                           struct audit_heads *ret_heads);

#endif
