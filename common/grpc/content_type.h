// The media types of requests: one table says which protocol a call speaks and what its messages are encoded
// in. Answers are of the request's own type.
#ifndef LATCHKEY_COMMON_GRPC_CONTENT_TYPE_H
#define LATCHKEY_COMMON_GRPC_CONTENT_TYPE_H

#include "common/base/bytes.h"

enum codec { CODEC_PROTO, CODEC_JSON, CODEC_UNKNOWN };

enum protocol {
    PROTOCOL_GRPC,
    PROTOCOL_GRPC_WEB,
    PROTOCOL_CONNECT_UNARY,
    PROTOCOL_CONNECT_STREAM,
    PROTOCOL_COUNT
};

// Name, text, protocol, codec. A family's last row stands for its other sub-types, and is answered in the
// family's plain one.
#define CONTENT_TYPE_TABLE(X)                                                   \
    X(GRPC, "application/grpc", GRPC, PROTO)                                    \
    X(GRPC_PROTO, "application/grpc+proto", GRPC, PROTO)                        \
    X(GRPC_JSON, "application/grpc+json", GRPC, JSON)                           \
    X(GRPC_UNKNOWN, "application/grpc", GRPC, UNKNOWN)                          \
    X(GRPC_WEB, "application/grpc-web", GRPC_WEB, PROTO)                        \
    X(GRPC_WEB_PROTO, "application/grpc-web+proto", GRPC_WEB, PROTO)            \
    X(GRPC_WEB_JSON, "application/grpc-web+json", GRPC_WEB, JSON)               \
    X(GRPC_WEB_UNKNOWN, "application/grpc-web", GRPC_WEB, UNKNOWN)              \
    X(CONNECT_PROTO, "application/proto", CONNECT_UNARY, PROTO)                 \
    X(CONNECT_JSON, "application/json", CONNECT_UNARY, JSON)                    \
    X(CONNECT_STREAM_PROTO, "application/connect+proto", CONNECT_STREAM, PROTO) \
    X(CONNECT_STREAM_JSON, "application/connect+json", CONNECT_STREAM, JSON)

enum content_type {
    CONTENT_TYPE_FOREIGN, // none, or not ours
#define CONTENT_TYPE_ENUM(name, text, protocol, codec) CONTENT_TYPE_##name,
    CONTENT_TYPE_TABLE(CONTENT_TYPE_ENUM)
#undef CONTENT_TYPE_ENUM
        CONTENT_TYPE_COUNT
};

// Case and parameters are not looked at.
enum content_type content_type_parse(struct bytes value);

// Of any but CONTENT_TYPE_FOREIGN.
enum protocol content_type_get_protocol(enum content_type type);
enum codec content_type_get_codec(enum content_type type);

#endif
