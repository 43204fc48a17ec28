// Any bytes as a service config: refused with a sentence, or one whose values are within what they may be for
// every method.
#include <assert.h>
#include <string.h>

#include "common/grpc_client/service_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct service_config_method *method) {
    const struct service_config_retry *retry = &method->retry;
    assert(method->timeout_ms >= 0);
    assert(retry->max_attempts == 0 ||
           (retry->max_attempts >= 2 && retry->max_attempts <= SERVICE_CONFIG_ATTEMPTS_MAX));
    if (retry->max_attempts == 0)
        return;
    assert(retry->retryable_codes != 0 && !(retry->retryable_codes & 1));
    assert(retry->backoff.initial_ms > 0 && retry->backoff.max_ms > 0 && retry->backoff.multiplier > 0);
    uint64_t last_ns = client_backoff_get_ns(&retry->backoff, retry->max_attempts, UINT64_MAX);
    double max_ns = retry->backoff.max_ms * (1 + CLIENT_BACKOFF_JITTER) * 1e6;
    assert((double)last_ns <= max_ns * (1 + 1e-12) + 1); // years of nanoseconds are rounded in a double
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct service_config *config;
    struct arena arena;
    char error[300] = "";
    arena_init(&arena, 0);
    if (service_config_parse(bytes_of(data, size), &arena, &config, error, sizeof(error)) == STATUS_OK) {
        check(service_config_get_method(config, BYTES_LITERAL("/a.B/C")));
        check(service_config_get_method(config, BYTES_LITERAL("/")));
        (void)service_config_find_health_service(config);
    } else {
        assert(error[0] && strlen(error) < sizeof(error));
    }
    arena_fini(&arena);
    return 0;
}
