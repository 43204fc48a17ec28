// Access tokens as text for people.
#ifndef LATCHKEY_SERVICES_CLI_TOKEN_TEXT_H
#define LATCHKEY_SERVICES_CLI_TOKEN_TEXT_H

#include <protobuf-c/protobuf-c.h>

#include "services/cli/cli.h"

// The filters of lists and of deactivations in bulk, as typed; whether any was.
bool token_text_set_filters(struct cli *cli, ProtobufCMessage *request);

// Every property that is set.
void token_text_print(struct cli *cli, const ProtobufCMessage *token);

#endif
