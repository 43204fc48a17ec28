// A fault in words for people: fields of requests are called by the options and arguments that were typed,
// and hints say what to do next. Programs get the contract's names, with --json.
#ifndef LATCHKEY_SERVICES_CLI_FAULT_TEXT_H
#define LATCHKEY_SERVICES_CLI_FAULT_TEXT_H

#include "services/cli/cli.h"

// Never NULL.
const char *fault_text_get_message(const struct fault *fault);

// On cli->err.
void fault_text_print(struct cli *cli, const struct fault *fault);

#endif
