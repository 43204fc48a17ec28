// What a client sends for a call: the header fields, as gRPC over HTTP/2 orders them, and framed messages.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_REQUEST_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/grpc/timeout.h"
#include "common/grpc_client/client.h"
#include "common/grpc_client/client_connection.h"

#define CLIENT_REQUEST_OWN_FIELDS 10 // what a request may have beside its metadata
#define CLIENT_REQUEST_METADATA_MAX 16

struct client_request_options {
    const char *path;
    const char *authority;
    const char *user_agent;
    bool is_tls;
    bool has_timeout;
    uint64_t timeout_ns;
    unsigned previous_attempts; // of the call, that a server may have seen
    const struct grpc_metadata *metadata;
    size_t metadata_count; // at most CLIENT_REQUEST_METADATA_MAX
};

struct client_request_head {
    struct client_field fields[CLIENT_REQUEST_OWN_FIELDS + CLIENT_REQUEST_METADATA_MAX];
    size_t count;
    char timeout[TIMEOUT_TEXT_MAX + 1];
    char previous_attempts[sizeof("4294967295")];
};

// Borrows all texts of `options`.
void client_request_write_head(struct client_request_head *head,
                               const struct client_request_options *options);

// The message behind its length, in `arena`. False when memory ran out.
MUST_CHECK bool client_request_pack(const ProtobufCMessage *message, struct arena *arena,
                                    struct bytes *ret_body);

#endif
