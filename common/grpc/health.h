// grpc.health.v1: whether the server and each of its services can do their work now. Check and List answer at
// once; Watch streams get the present state and every change, also for a service that is not known here
// (SERVICE_UNKNOWN).
//
// The states are atomics that any thread writes; watchers live on their loops and are told by a task posted
// to each. Changes that follow each other faster than a loop turns reach a watcher as the last of them.
#ifndef LATCHKEY_COMMON_GRPC_HEALTH_H
#define LATCHKEY_COMMON_GRPC_HEALTH_H

#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/router.h"
#include "common/net/loop.h"

// As on the wire.
enum grpc_health_state { GRPC_HEALTH_UNKNOWN, GRPC_HEALTH_SERVING, GRPC_HEALTH_NOT_SERVING };

struct grpc_health;

// For the server as a whole, named "", and the services named; all begin as NOT_SERVING. Borrows the loops
// and the names. Outlives both the server and the loops. Returns owned.
MUST_CHECK enum status grpc_health_new(struct loop_group *loops, const char *const *services, size_t count,
                                       struct grpc_health **ret_health);

// After loop_group_free() or before loop_group_start(). Takes NULL.
void grpc_health_free(struct grpc_health *health);

// Its methods, for grpc_server_options.tables.
struct router_table grpc_health_get_table(const struct grpc_health *health);

// What "" and all services are from now on. From any thread, until loop_group_stop() begins.
void grpc_health_set_all(struct grpc_health *health, enum grpc_health_state state);

// Ends every Watch, now and later, with UNAVAILABLE, reason DRAINING: a draining server would wait for them
// otherwise. From any thread, until loop_group_stop() begins.
void grpc_health_end_watches(struct grpc_health *health);

#endif
