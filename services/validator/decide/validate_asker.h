// Who asks, and what of the answers they may see. Over loopback or a Unix socket anybody may ask about every
// token, and so may a client by its certificate, as the configuration says (client_rights.h). Anybody else is
// a bearer: admitted by a decision like any other (channel API, from their own address), and shown their own
// company's tokens only, unless they hold `latchkey.validate.any`.
//
// What a refusal tells beyond its reason (`latchkey.validate.detail`) belongs to a bearer or a certificate:
// who presents neither does not hold it, wherever they ask from. Of those who may ask without one, a bearer
// that is not admitted is as good as none.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_ASKER_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/app/bearer.h"
#include "common/app/client_rights.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/ip/address.h"
#include "services/validator/image/image.h"

// As the transport knows it.
struct validate_presence {
    struct bytes secret;       // empty = none is presented
    struct bytes claim;        // caller_claim_find()
    struct ip_address address; // of the TCP peer, or behind the proxies that are trusted
    bool is_local;             // loopback or Unix socket
    uint32_t client_rights;    // of the certificate, bits of enum client_right
    bool folds_reasons;        // the service's setting
};

// Zeroed memory sees nothing.
struct validate_asker {
    struct uuid company_id; // the bearer's; zero = no bearer
    struct uuid token_id;   // its token
    struct digest digest;   // of its secret
    struct ip_address address;
    bool has_bearer;
    bool is_local;
    bool has_any;    // latchkey.validate.any
    bool has_detail; // latchkey.validate.detail
};

// What is told in place of a reason where reasons are folded: not that a secret once was good.
static inline enum reason validate_fold_reason(enum reason reason) {
    return reason >= REASON_MALFORMED && reason <= REASON_EXPIRED ? REASON_UNKNOWN : reason;
}

// UNAVAILABLE, and the fault filled: what is asked, or who asks, is of a lane that others serve.
MUST_CHECK enum status validate_fail_not_served(struct fault *fault);

// Reader thread, online. UNAUTHENTICATED or PERMISSION_DENIED, and the fault filled, for whoever may not ask;
// folded, too, because a bearer may try its own secret as well as ask about it. UNAVAILABLE: who may is known
// elsewhere.
MUST_CHECK enum status validate_asker_identify(const struct image *image, const struct bearer_shape *shape,
                                               int64_t now_ms, const struct validate_presence *presence,
                                               struct fault *fault, struct validate_asker *ret_asker);

// Whether the bearer may do that now. Reader thread, online.
bool validate_asker_holds(const struct image *image, const struct validate_asker *asker,
                          const char *permission);

// Whether tokens of that company exist for the asker at all.
bool validate_asker_sees(const struct validate_asker *asker, struct uuid company_id);

// Whether refusals of them are told in detail.
bool validate_asker_sees_detail(const struct validate_asker *asker, struct uuid company_id);

#endif
