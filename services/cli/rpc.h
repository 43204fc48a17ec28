// The calls that `latchkey` makes, as a table. Messages are handled by the names of their fields
// (common/grpc/field.h): this is the one place of the program that names generated types.
#ifndef LATCHKEY_SERVICES_CLI_RPC_H
#define LATCHKEY_SERVICES_CLI_RPC_H

#include <protobuf-c/protobuf-c.h>

// Which server answers: each may have an address of its own.
enum rpc_server {
    RPC_SERVER_TOKEN,
    RPC_SERVER_WHITELIST,
    RPC_SERVER_INVITATION,
    RPC_SERVER_VALIDATOR,
    RPC_SERVER_COUNT
};

enum rpc_id {
    RPC_CREATE_ACCESS_TOKEN,
    RPC_GET_ACCESS_TOKEN,
    RPC_LIST_ACCESS_TOKENS,
    RPC_DEACTIVATE_ACCESS_TOKEN,
    RPC_GET_CALLER,
    RPC_LIST_PERMISSIONS,
    RPC_GET_WHITELIST,
    RPC_UPDATE_WHITELIST,
    RPC_ADD_WHITELIST_ENTRIES,
    RPC_REMOVE_WHITELIST_ENTRIES,
    RPC_LIST_WHITELIST_ENTRIES,
    RPC_CHECK_IP,
    RPC_CREATE_COMPANY,
    RPC_GET_COMPANY,
    RPC_LIST_AUDIT_EVENTS,
    RPC_VERIFY_AUDIT_LOG,
    RPC_VALIDATE,
    RPC_COUNT
};

struct rpc {
    enum rpc_server server;
    const char *path;
    const ProtobufCMessageDescriptor *request, *response;
};

const struct rpc *rpc_get(enum rpc_id id);

#endif
