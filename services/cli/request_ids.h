// Request ids of several calls that make one change: derived from one id and their number, so that the whole
// can be repeated after it broke off, and is made once.
#ifndef LATCHKEY_SERVICES_CLI_REQUEST_IDS_H
#define LATCHKEY_SERVICES_CLI_REQUEST_IDS_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/compiler.h"
#include "common/base/uuid.h"
#include "services/cli/cli.h"

struct request_ids {
    struct uuid base;
    uint32_t next; // number of the next call
};

// From --request-id, which the command's options have, or a new one. EXIT_CODE_DONE or what cli_fail() said.
MUST_CHECK enum exit_code request_ids_init(struct cli *cli, struct request_ids *ret_ids);

// Gives the request the next id.
void request_ids_set(struct cli *cli, struct request_ids *ids, ProtobufCMessage *request);

// "--request-id ..." for a repetition.
const char *request_ids_describe(struct cli *cli, const struct request_ids *ids);

#endif
