// From the transport to the handlers of management methods and back. It turns each app_method into a row for
// the transport; what happens to a call in between is told in managed_call.c.
#ifndef LATCHKEY_COMMON_APP_DISPATCH_H
#define LATCHKEY_COMMON_APP_DISPATCH_H

#include <stddef.h>

#include "common/app/bearer.h"
#include "common/app/method.h"
#include "common/app/use_log.h"
#include "common/app/validators.h"
#include "common/app/worker.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/pool.h"
#include "common/grpc/router.h"
#include "common/ip/ip_set.h"

struct deployment_cache;

// What every managed call works with; made before the loops start, then const. Borrows everything.
struct dispatch {
    struct app *app;
    const struct clock *clock;
    struct worker_pool *workers;
    struct db_pool *database;
    struct validators *validators;
    struct deployment_cache *deployments;
    struct use_log *uses;
    const struct ip_set *trusted_proxies; // NULL = none
    struct bearer_shape shape;            // of callers' secrets
    int64_t wait_for_validators_max_ms;
    int64_t database_lease_wait_ms;
};

// One method with what it needs: the `context` of its row.
struct dispatch_binding {
    const struct dispatch *dispatch;
    const struct app_method *method;
    app_screen *screen; // NULL = none: whoever calls is authenticated
};

// The rows for `methods`, in their order; owned by the caller, freed with dispatch_free_table(). They borrow
// `dispatch` and `methods`. `screen` is for the open ones; NULL only where there are none.
MUST_CHECK enum status dispatch_new_table(const struct dispatch *dispatch, const struct app_method *methods,
                                          size_t count, app_screen *screen, struct router_table *ret_table);
void dispatch_free_table(struct router_table *table);

// The transport's callbacks of a managed call (managed_call.c).
extern const struct grpc_handler managed_call_handler;

#endif
