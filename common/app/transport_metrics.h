// What the transport counts, under the names that gRPC dashboards know (go-grpc-middleware).
#ifndef LATCHKEY_COMMON_APP_TRANSPORT_METRICS_H
#define LATCHKEY_COMMON_APP_TRANSPORT_METRICS_H

#include "common/app/metrics.h"

// A metrics_source with a `struct grpc_server *` as context.
void transport_metrics_write(struct metrics_writer *writer, void *server);

#endif
