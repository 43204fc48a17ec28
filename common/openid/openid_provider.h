// One OpenID provider and we as its client: what its discovery document says of it (OpenID Connect Discovery
// 1.0), its keys, where it signs people in, and who it was that it has signed in (authorization code with
// PKCE, RFC 7636).
//
// The document is fetched when somebody is first signed in, and kept for a while, as the keys are; a token by
// a key that they do not have has them fetched again. What could not be had is not asked for again for a
// moment, and nobody asks for the same at once: a provider that is down costs one request in that time. Any
// thread; what asks the provider blocks as long as the time-out says.
#ifndef LATCHKEY_COMMON_OPENID_PROVIDER_H
#define LATCHKEY_COMMON_OPENID_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/openid/openid_fetch.h"
#include "common/openid/openid_token.h"

#define OPENID_CODE_MAX 2048

struct openid_provider;

// All texts outlive the provider.
struct openid_options {
    const char *issuer; // openid_url_is_issuer(); exactly as the provider writes it
    const char *client_id;
    const char *secret_file; // its first line is the client's secret; read at each sign-in
    const char *ca_file;     // NULL = those that the system trusts
    const char *redirect_uri;
    int64_t timeout_ms; // of each request
    size_t answer_max;  // bytes of each answer
    int64_t kept_ms;    // how long document and keys are kept
    int64_t retry_ms;   // how soon that which could not be had is asked for again
    int64_t skew_ms;    // by which its clock and ours may differ
    const struct clock *clock;
};

// Before the threads that use it. NO_MEMORY.
MUST_CHECK enum status openid_provider_new(const struct openid_options *options,
                                           struct openid_provider **ret_provider);
void openid_provider_free(struct openid_provider *provider); // takes NULL

// What only the browser and the client know of one sign-in. Letters, digits, '-' and '_'.
struct openid_sign_in {
    const char *state, *nonce, *verifier;
};

// Where the browser is to go. Appends to `url`. UNAVAILABLE: the provider can't be had now; the log says why.
MUST_CHECK enum status openid_provider_write_url(struct openid_provider *provider,
                                                 const struct openid_sign_in *sign_in,
                                                 const struct openid_stop *stop, struct buffer *url);

// Whether an answer that names this issuer (RFC 9207; data NULL: none) can be the provider's.
MUST_CHECK bool openid_provider_is_issuer(struct openid_provider *provider, struct bytes issuer);

// Who has signed in. DENIED: it is nobody that we may believe in; UNAVAILABLE. The log says why.
MUST_CHECK enum status openid_provider_redeem(struct openid_provider *provider, struct bytes code,
                                              const struct openid_sign_in *sign_in,
                                              const struct openid_stop *stop,
                                              struct openid_identity *ret_identity);

#endif
