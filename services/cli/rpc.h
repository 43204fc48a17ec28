// The calls that `latchkey` makes, as a table. Messages are handled by the names of their fields
// (common/protobuf/field.h): this is the one place of the program that names generated types.
#ifndef LATCHKEY_SERVICES_CLI_RPC_H
#define LATCHKEY_SERVICES_CLI_RPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "common/protobuf/contract.h"

// Which server answers: each may have an address of its own.
enum rpc_server {
    RPC_SERVER_TOKEN,
    RPC_SERVER_WHITELIST,
    RPC_SERVER_INVITATION,
    RPC_SERVER_VALIDATOR,
    RPC_SERVER_COUNT
};

enum rpc_id {
#define RPC_ENUM(id, server, service, method, c_name) RPC_##id,
    CONTRACT_TABLE(RPC_ENUM)
#undef RPC_ENUM
        RPC_COUNT
};

struct rpc {
    enum rpc_server server;
    const char *path;
    const ProtobufCMessageDescriptor *request, *response;
};

const struct rpc *rpc_get(enum rpc_id id);

#endif
