// A failure as Connect has it: an HTTP status, and {"code", "message", "details"} in JSON.
#ifndef LATCHKEY_COMMON_GRPC_CONNECT_ERROR_H
#define LATCHKEY_COMMON_GRPC_CONNECT_ERROR_H

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/grpc/status_code.h"
#include "common/grpc/status_details.h"
#include "common/protobuf/protojson.h"

struct bytes connect_error_get_http_status(enum grpc_code code); // "404"; static storage

// The object. Details whose types `json` knows are there in readable form, too.
void connect_error_append(struct buffer *text, const struct status_details *details,
                          const struct protojson_options *json);

#endif
