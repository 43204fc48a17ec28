// The message types that a server's methods and their failures are made of, for what a google.protobuf.Any
// among them holds.
#ifndef LATCHKEY_COMMON_GRPC_METHOD_TYPES_H
#define LATCHKEY_COMMON_GRPC_METHOD_TYPES_H

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/router.h"
#include "common/protobuf/protojson.h"

// NO_MEMORY. Returns owned.
MUST_CHECK enum status method_types_new(const struct router *router, struct protojson_types **ret_types);

#endif
