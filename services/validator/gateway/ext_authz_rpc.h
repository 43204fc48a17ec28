// envoy.service.auth.v3.Authorization/Check: an Envoy in front of somebody's service asks about each request
// that it has (docs/envoy.md says how it is set up).
//
//   token             as at /check: x-access-token, authorization: Bearer, or the cookie of --check-cookie
//   address           behind --trusted-hops proxies, or the right-most one that is no trusted proxy's, in
//                     x-forwarded-for and whom Envoy is asked by
//   domain            origin, else the host
//   permissions       of the route (route_table.h), and the context extensions `permission`, all of them, and
//                     `any_permission`, one of them; separated by commas
//   channel           of the route, else the context extension `channel`, else api
//
// The answer is always a CheckResponse, also to who may not ask and to what can't be read, and admits only
// where it says so. Who may ask is Validate's rule; a refused asker is told so in the denial.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_EXT_AUTHZ_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_EXT_AUTHZ_RPC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/grpc/method.h"
#include "services/validator/decide/validate_service.h"
#include "services/validator/gateway/route_file.h"

// How a check ended: REFUSED is one by who may not ask, or with what nobody may ask; UNDECIDED the
// validator's own doing. Those that were decided are counted by their reason, too, among all decisions.
#define EXT_AUTHZ_OUTCOME_TABLE(X)            \
    X(MALFORMED, "malformed")                 \
    X(PATH_AMBIGUOUS, "path_ambiguous")       \
    X(ROUTE_NOT_LISTED, "route_not_listed")   \
    X(METHOD_NOT_LISTED, "method_not_listed") \
    X(ROUTE_DENIED, "route_denied")           \
    X(MISCONFIGURED, "misconfigured")         \
    X(REFUSED, "refused")                     \
    X(UNDECIDED, "undecided")                 \
    X(DECIDED, "decided")                     \
    X(PUBLIC, "public")

enum ext_authz_outcome {
#define EXT_AUTHZ_OUTCOME_ENUM(name, text) EXT_AUTHZ_##name,
    EXT_AUTHZ_OUTCOME_TABLE(EXT_AUTHZ_OUTCOME_ENUM)
#undef EXT_AUTHZ_OUTCOME_ENUM
        EXT_AUTHZ_OUTCOME_COUNT
};

// What one loop has for itself.
struct ext_authz_loop {
    _Alignas(64) struct route_view routes;
    _Atomic uint64_t outcomes[EXT_AUTHZ_OUTCOME_COUNT]; // relaxed: the loop writes, whoever reports reads
};

// The context of the method: made before the loops start, then const but for what the loops own.
struct ext_authz {
    const struct validate_service *validate;
    const char *cookie; // NULL or "" = tokens are in no cookie
    unsigned trusted_hops;
    bool passes_token; // to the service behind
    struct ext_authz_loop *loops;
    size_t loop_count;
};

extern const struct grpc_handler ext_authz_handler;

// A metrics source; `context` is the struct ext_authz. Any thread.
void ext_authz_write_metrics(struct metrics_writer *writer, void *context);

#endif
