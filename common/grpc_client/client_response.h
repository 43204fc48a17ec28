// What a server has answered to one call, gathered as it arrives and judged at the end: the one message of a
// unary call, or messages handed on one by one.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_RESPONSE_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_RESPONSE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/grpc/framing.h"
#include "common/grpc_client/client_connection.h"
#include "common/grpc_client/client_retry.h"

struct client_response {
    struct arena *arena; // borrows
    struct framing framing;
    uint32_t header_bytes;
    uint32_t http_status; // 0 = none yet
    bool has_grpc_content_type;
    bool has_code;
    uint32_t code;                 // grpc-status
    struct bytes message;          // grpc-message, as it came
    struct bytes details;          // grpc-status-details-bin, as it came
    enum client_pushback pushback; // grpc-retry-pushback-ms
    uint32_t pushback_ms;
    // Takes each message as it comes, borrowed for the call; false when memory ran out. NULL: there may be
    // one message, which is kept in `body`.
    bool (*on_message)(void *context, struct bytes message);
    void *context;
    struct bytes body;           // in `arena`
    uint32_t message_count;      // of a unary call; held at 2
    const char *given_up_reason; // why the sink said stop: one of client.h's reasons; NULL = it has not
    const char *given_up_message;
};

// Copies of what is kept, and the unpacked message, go into `arena`.
void client_response_init(struct client_response *response, struct arena *arena, uint32_t max_message_bytes);
void client_response_fini(struct client_response *response);

struct client_sink client_response_get_sink(struct client_response *response);

// What the answer says after the stream ended with CLIENT_END_COMPLETE or CLIENT_END_GIVEN_UP, or after a
// reset that followed a status: OK, or `fault` filled. `peer` names the server in sentences.
MUST_CHECK enum status client_response_judge(const struct client_response *response, const char *peer,
                                             struct fault *fault);

// The same for a unary call, and its message.
MUST_CHECK enum status client_response_finish(const struct client_response *response, const char *peer,
                                              const ProtobufCMessageDescriptor *type,
                                              ProtobufCMessage **ret_message, struct fault *fault);

// What a stream that ended otherwise means: `fault` filled. CLIENT_END_RESET is one of them.
enum status client_response_explain_end(enum client_end end, uint32_t error_code, const char *peer,
                                        struct fault *fault);

#endif
