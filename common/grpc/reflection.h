// grpc.reflection.v1 and v1alpha: what grpcurl and other tools ask in place of .proto files. Answers about
// files and symbols come from the descriptor set inside of the program; the list of services names only what
// the server really serves. What is not known is an error_response inside of the stream, never the end of it.
#ifndef LATCHKEY_COMMON_GRPC_REFLECTION_H
#define LATCHKEY_COMMON_GRPC_REFLECTION_H

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/router.h"

struct grpc_reflection;

// Before the server is made; it outlives the server. Returns owned.
MUST_CHECK enum status grpc_reflection_new(struct grpc_reflection **ret_reflection);
void grpc_reflection_free(struct grpc_reflection *reflection); // takes NULL

// Its methods, for grpc_server_options.tables.
struct router_table grpc_reflection_get_table(const struct grpc_reflection *reflection);

// Tells it what the server serves: between grpc_server_new() and loop_group_start(), once. Until then it
// lists nothing.
MUST_CHECK enum status grpc_reflection_set_router(struct grpc_reflection *reflection,
                                                  const struct router *router);

#endif
