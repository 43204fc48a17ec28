// What a database lost, for people or with --json for programs.
#ifndef LATCHKEY_SERVICES_CLI_RECOVER_TEXT_H
#define LATCHKEY_SERVICES_CLI_RECOVER_TEXT_H

#include "services/cli/cli.h"
#include "services/cli/recover_store.h"

// On standard output. `redone_count` is of this run.
void recover_text_print(struct cli *cli, const struct loss *loss, int64_t redone_count);

#endif
