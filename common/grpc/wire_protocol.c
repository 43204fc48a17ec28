#include "common/grpc/wire_protocol.h"

#include "common/grpc/call_end.h"

#define TEXT(literal) \
    { (const uint8_t *)(literal), sizeof(literal) - 1 }

const struct wire_protocol wire_protocols[PROTOCOL_COUNT] = {
    [PROTOCOL_GRPC] =
        {
            .timeout_family = FAMILY_GRPC,
            .encoding_family = FAMILY_GRPC,
            .encoding_field = TEXT("grpc-encoding"),
            .accept_encoding_field = TEXT("grpc-accept-encoding"),
            .malformed = STATUS_MALFORMED,
            .end = call_end_grpc,
        },
    [PROTOCOL_GRPC_WEB] =
        {
            .timeout_family = FAMILY_GRPC,
            .encoding_family = FAMILY_GRPC,
            .encoding_field = TEXT("grpc-encoding"),
            .accept_encoding_field = TEXT("grpc-accept-encoding"),
            .malformed = STATUS_MALFORMED,
            .end = call_end_grpc_web,
        },
    [PROTOCOL_CONNECT_UNARY] =
        {
            .timeout_family = FAMILY_CONNECT,
            .encoding_family = FAMILY_HTTP,
            .encoding_field = TEXT("content-encoding"),
            .accept_encoding_field = TEXT("accept-encoding"),
            .malformed = STATUS_INVALID,
            .is_bare = true,
            .end = call_end_connect_unary,
        },
    [PROTOCOL_CONNECT_STREAM] =
        {
            .timeout_family = FAMILY_CONNECT,
            .encoding_family = FAMILY_CONNECT,
            .encoding_field = TEXT("connect-content-encoding"),
            .accept_encoding_field = TEXT("connect-accept-encoding"),
            .malformed = STATUS_INVALID,
            .end = call_end_connect_stream,
        },
};
