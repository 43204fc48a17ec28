// Access tokens as text for people.
#ifndef LATCHKEY_SERVICES_CLI_TOKEN_TEXT_H
#define LATCHKEY_SERVICES_CLI_TOKEN_TEXT_H

#include <protobuf-c/protobuf-c.h>

#include "services/cli/cli.h"

// Every property that is set.
void token_text_print(struct cli *cli, const ProtobufCMessage *token);

#endif
