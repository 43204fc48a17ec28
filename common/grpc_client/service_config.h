// gRPC's service config as a client reads it from JSON: time-outs and retries of methods, how addresses are
// picked, whose health is asked for. Fields that are not known are passed over, so that the file of other
// clients serves this one too.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_SERVICE_CONFIG_H
#define LATCHKEY_COMMON_GRPC_CLIENT_SERVICE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc_client/client_backoff.h"
#include "common/grpc_client/client_pick.h"

#define SERVICE_CONFIG_ATTEMPTS_MAX 5 // more are held at this, as gRPC does

struct service_config_retry {
    unsigned max_attempts; // 2..5, the first one included; 0 = no retries
    struct client_backoff backoff;
    uint32_t retryable_codes; // bit 1 << enum grpc_code
};

struct service_config_method {
    int64_t timeout_ms;          // the most a call may take; 0 = not said
    uint32_t max_response_bytes; // 0 = not said
    bool wait_for_ready;
    struct service_config_retry retry;
};

struct service_config_throttle {
    uint32_t max_milli_tokens; // 0 = none
    uint32_t milli_tokens_per_success;
};

struct service_config;

// Parses `json` into a config that lives in `arena`. INVALID with a sentence that names the field, or
// NO_MEMORY.
MUST_CHECK enum status service_config_parse(struct bytes json, struct arena *arena,
                                            const struct service_config **ret_config, char *ret_error,
                                            size_t error_size);

// Of a client that was given none: every method may be tried up to 4 times while its server is unavailable,
// after 0.1 s, 0.2 s and 0.4 s, as long as most calls succeed. Static storage.
const struct service_config *service_config_get_default(void);

// What the config says about "/package.Service/Method": its own entry, its service's, or the one for all.
// Never NULL: an entry that says nothing stands for none.
const struct service_config_method *service_config_get_method(const struct service_config *config,
                                                              struct bytes path);

enum client_picking service_config_get_picking(const struct service_config *config);
struct service_config_throttle service_config_get_throttle(const struct service_config *config);

// The service whose health decides whether an address is used; "" is the server as a whole, NULL = not asked.
const char *service_config_find_health_service(const struct service_config *config);

#endif
