// What the methods of ValidationService have in common: who decides by what, and what each loop has for
// itself.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_SERVICE_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/bearer.h"
#include "common/app/use_log.h"
#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/grpc/call.h"
#include "common/ip/ip_set.h"
#include "services/validator/decide/backlog.h"
#include "services/validator/decide/denial_log.h"
#include "services/validator/decide/reading.h"
#include "services/validator/decide/validate_counters.h"
#include "services/validator/decide/validate_note.h"
#include "services/validator/decide/validate_wait.h"
#include "services/validator/image/validator.h"

#define PAGE_KEY_LENGTH 32

// What one loop has for itself.
struct validate_loop {
    _Alignas(64) struct reading reading;
    struct validate_waits waits;
    struct backlog backlog;
    struct arena scratch; // of one portion of it, empty between two
    struct validate_counters counters;
    struct use_loop *uses;
    struct denial_log *denials; // owned by the service; NULL = none are kept
    struct validate_notes notes;
};

// The context of the methods: made before the loops start, then const but for what the loops own.
struct validate_service {
    const struct validator *validator;
    struct bearer_shape shape;            // of secrets, asked about and presented
    const struct ip_set *trusted_proxies; // NULL = none
    bool folds_reasons;
    int64_t min_revision_wait_ms;
    struct validate_loop *loops; // by the loop's index
    size_t loop_count;
    uint8_t page_key[PAGE_KEY_LENGTH]; // of this process's lists
};

// On the loop's thread, before its first call and after its last; leaving ends what is parked.
void validate_loop_enter(struct validate_loop *mine, struct loop *loop);
void validate_loop_leave(struct validate_loop *mine);

// Until when a call that comes now waits for a min_revision: the setting, and not quite to its own deadline,
// so that the caller still hears the reason. Monotonic.
uint64_t validate_service_get_wait_end_ns(const struct validate_service *service,
                                          const struct grpc_call *transport);

// A message that is none, in the words of the general way, which every other method has. Returns MALFORMED.
enum status validate_fail_malformed(const struct grpc_call *transport, struct bytes message,
                                    struct fault *fault);

#endif
