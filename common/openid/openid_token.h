// An ID token (OpenID Connect Core 1.0, section 3.1.3.7): whether the provider's key has signed it, and
// whether it was made for us, now, and for this sign-in. Pure: no I/O, any thread.
#ifndef LATCHKEY_COMMON_OPENID_TOKEN_H
#define LATCHKEY_COMMON_OPENID_TOKEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"

#define OPENID_TOKEN_MAX 16384
#define OPENID_SUBJECT_MAX 255
#define OPENID_EMAIL_MAX 254

// Who it is, as the provider says.
struct openid_identity {
    char subject[OPENID_SUBJECT_MAX + 1]; // without control characters
    char email[OPENID_EMAIL_MAX + 1];     // "" = none that the provider has verified
};

struct openid_expectation {
    const char *issuer, *client_id, *nonce;
    int64_t now_ms;
    int64_t skew_ms; // by which clocks may differ
};

// Zero is broken: no token at all.
enum openid_verdict {
    OPENID_BROKEN,
    OPENID_ALGORITHM_REFUSED,
    OPENID_KEY_UNKNOWN, // newer keys may have it
    OPENID_SIGNATURE_WRONG,
    OPENID_ISSUER_WRONG,
    OPENID_AUDIENCE_WRONG,
    OPENID_TIME_WRONG,
    OPENID_NONCE_WRONG,
    OPENID_GOOD,
};

const char *openid_verdict_get_text(enum openid_verdict verdict); // for logs

// `keys` is the provider's JSON Web Key Set. `ret_identity` is untouched unless it is good.
enum openid_verdict openid_token_check(struct bytes token, const json_t *keys,
                                       const struct openid_expectation *expected,
                                       struct openid_identity *ret_identity);

#endif
