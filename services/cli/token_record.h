// Tokens made elsewhere, in files: what a record (records.h) says about one, as a message.
#ifndef LATCHKEY_SERVICES_CLI_TOKEN_RECORD_H
#define LATCHKEY_SERVICES_CLI_TOKEN_RECORD_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/compiler.h"
#include "services/cli/cli.h"
#include "services/cli/records.h"

#define TOKEN_RECORD_COLUMNS 13

extern const struct record_column token_record_columns[TOKEN_RECORD_COLUMNS];

// Fills an ImportedAccessToken. NULL, or what is wrong and what to type instead.
MUST_CHECK const char *token_record_fill(struct cli *cli, const struct record *record,
                                         ProtobufCMessage *message);

#endif
