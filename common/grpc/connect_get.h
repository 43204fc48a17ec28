// Connect's GET: a unary call whose one message stands in the query of its path, so that what has no side
// effects can be asked for by a link.
//     /service/Method?connect=v1&encoding=json&message=%7B%7D[&base64=1][&compression=gzip]
#ifndef LATCHKEY_COMMON_GRPC_CONNECT_GET_H
#define LATCHKEY_COMMON_GRPC_CONNECT_GET_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/grpc/content_type.h"
#include "common/grpc/request_head.h"

struct connect_get {
    enum content_type content_type; // CONNECT_PROTO or CONNECT_JSON
    enum message_encoding encoding;
    struct bytes message; // borrows from the query or the arena
};

// `query` is what follows the question mark. False: this is not such a query, or memory ran out.
MUST_CHECK bool connect_get_parse(struct bytes query, struct arena *arena, struct connect_get *ret_get);

#endif
