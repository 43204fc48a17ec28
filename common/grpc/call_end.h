// How an answer ends in each protocol: in trailers (gRPC), in a last message that holds them (gRPC-Web,
// Connect's streams), or as a whole HTTP answer (Connect's unary calls). See wire_protocol.h.
#ifndef LATCHKEY_COMMON_GRPC_CALL_END_H
#define LATCHKEY_COMMON_GRPC_CALL_END_H

#include "common/grpc/wire_protocol.h"

bool call_end_grpc(struct grpc_call *call, const struct call_ending *ending);
bool call_end_grpc_web(struct grpc_call *call, const struct call_ending *ending);
bool call_end_connect_unary(struct grpc_call *call, const struct call_ending *ending);
bool call_end_connect_stream(struct grpc_call *call, const struct call_ending *ending);

#endif
