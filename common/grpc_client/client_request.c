#include "common/grpc_client/client_request.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/grpc/framing.h"
#include "common/protobuf/message.h"

static void add(struct client_request_head *head, const char *name, const char *value) {
    head->fields[head->count++] =
        (struct client_field){.name = bytes_of_text(name), .value = bytes_of_text(value)};
}

static void add_secret(struct client_request_head *head, const struct grpc_metadata *metadata) {
    add(head, metadata->key, metadata->value);
    head->fields[head->count - 1].is_secret = true;
}

static bool has_key(const struct client_request_options *options, const char *key) {
    for (size_t i = 0; i < options->metadata_count; i++)
        if (strcmp(options->metadata[i].key, key) == 0)
            return true;
    return false;
}

void client_request_write_head(struct client_request_head *head,
                               const struct client_request_options *options) {
    assert(options->metadata_count <= CLIENT_REQUEST_METADATA_MAX);
    head->count = 0;
    add(head, ":method", "POST");
    add(head, ":scheme", options->is_tls ? "https" : "http");
    add(head, ":path", options->path);
    add(head, ":authority", options->authority);
    add(head, "te", "trailers");
    if (options->has_timeout) {
        timeout_format(options->timeout_ns, head->timeout);
        add(head, "grpc-timeout", head->timeout);
    }
    add(head, "content-type", "application/grpc");
    // why: no compression. An answer that holds a secret beside what others choose would tell by its length.
    add(head, "grpc-accept-encoding", "identity");
    if (!has_key(options, "user-agent"))
        add(head, "user-agent", options->user_agent);
    if (options->previous_attempts > 0) {
        snprintf(head->previous_attempts, sizeof(head->previous_attempts), "%u", options->previous_attempts);
        add(head, "grpc-previous-rpc-attempts", head->previous_attempts);
    }
    for (size_t i = 0; i < options->metadata_count; i++)
        add_secret(head, &options->metadata[i]);
}

bool client_request_pack(const ProtobufCMessage *message, struct arena *arena, struct bytes *ret_body) {
    struct bytes packed = message_pack(message, FRAMING_PREFIX_BYTES, arena);
    if (!packed.data || packed.len - FRAMING_PREFIX_BYTES > UINT32_MAX)
        return false;
    // The bytes are this call's own, in its arena: `struct bytes` only keeps others from writing.
    framing_write_prefix((uint8_t *)(uintptr_t)packed.data, (uint32_t)(packed.len - FRAMING_PREFIX_BYTES));
    *ret_body = packed;
    return true;
}
