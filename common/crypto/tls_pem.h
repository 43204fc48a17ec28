// PEM files into OpenSSL's objects, with a sentence about the file that is wrong.
#ifndef LATCHKEY_COMMON_CRYPTO_TLS_PEM_H
#define LATCHKEY_COMMON_CRYPTO_TLS_PEM_H

#include <openssl/ssl.h>
#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/digest.h"

// Where a sentence goes.
struct tls_sentence {
    char *text;
    size_t size;
};

// All: INVALID with the sentence; UNAVAILABLE, with it, where the file could not be read now (whole_file.h);
// NO_MEMORY.

// The certificate, which must not have ended, and those behind it in its chain.
MUST_CHECK enum status tls_pem_use_certificate(SSL_CTX *context, const char *path,
                                               const struct tls_sentence *sentence);
// The key of the certificate that is used.
MUST_CHECK enum status tls_pem_use_key(SSL_CTX *context, const char *path,
                                       const struct tls_sentence *sentence);
// Authorities to verify peers by; *ret_digest is that of the file.
MUST_CHECK enum status tls_pem_use_authorities(SSL_CTX *context, const char *path, struct digest *ret_digest,
                                               const struct tls_sentence *sentence);
// Revocation lists, one of each authority in the way; without one of them nobody passes.
MUST_CHECK enum status tls_pem_use_revocations(SSL_CTX *context, const char *path, struct digest *ret_digest,
                                               const struct tls_sentence *sentence);

#endif
