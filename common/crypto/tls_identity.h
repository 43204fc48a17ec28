// Who a peer is by its certificate: the names that an authority has vouched for. What belongs to a
// certificate that nobody has verified is nobody's.
#ifndef LATCHKEY_COMMON_CRYPTO_TLS_IDENTITY_H
#define LATCHKEY_COMMON_CRYPTO_TLS_IDENTITY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define TLS_IDENTITY_NAMES_MAX 64

// Immutable but for `memo`; shared by whoever holds it.
struct tls_identity {
    _Atomic size_t holders;
    // What the owner of the connection's loop has last looked up for these names, so that it need not for
    // each call. That thread's; zero at first.
    struct tls_identity_memo {
        uint64_t version;
        uint32_t bits;
    } memo;
    size_t count;        // at least one
    const char *names[]; // "spiffe://domain/path" first, if it has one; then "dns:host.name", in lower case
};

// Whether an identity could have it: "spiffe://domain/path" or "dns:host.name" in lower case.
bool tls_identity_has_form(struct bytes name);

// Takes NULL, and answers it.
struct tls_identity *tls_identity_hold(struct tls_identity *identity);
void tls_identity_release(struct tls_identity *identity);

// Reads the subject alternative names of a certificate in DER. *ret_identity is held by the caller, or NULL
// where it has no name of the two kinds. INVALID for what does not parse and for names that two readers could
// understand differently: a SPIFFE id beside another URI or that is not well-formed, or of an authority's
// certificate; a name with bytes that are no printable ASCII; too many. NO_MEMORY.
MUST_CHECK enum status tls_identity_parse(struct bytes der, struct tls_identity **ret_identity);

#endif
