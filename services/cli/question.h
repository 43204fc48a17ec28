// What `latchkey validate` and `latchkey explain` ask a validator, and the first line of what it says.
#ifndef LATCHKEY_SERVICES_CLI_QUESTION_H
#define LATCHKEY_SERVICES_CLI_QUESTION_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "common/base/compiler.h"
#include "services/cli/cli.h"

// Fill a ValidateRequest: its token, from --secret-file or LATCHKEY_VALIDATE_TOKEN; the rest, from the
// options. `other_way` to name the token, such as "name it by its TOKEN-ID, or ", is told where there is
// none; may be
// "". EXIT_CODE_DONE, or what cli_fail() said.
MUST_CHECK enum exit_code question_set_secret(struct cli *cli, ProtobufCMessage *question,
                                              const char *other_way);
MUST_CHECK enum exit_code question_set(struct cli *cli, ProtobufCMessage *question);

// Of a ValidateResponse. Printing returns its reason, without the prefix.
bool question_is_allowed(const ProtobufCMessage *decision);
const char *question_print_decision(struct cli *cli, const ProtobufCMessage *decision);

#endif
