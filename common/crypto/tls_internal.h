// What the parts of TLS share; OpenSSL's types are seen nowhere else.
#ifndef LATCHKEY_COMMON_CRYPTO_TLS_INTERNAL_H
#define LATCHKEY_COMMON_CRYPTO_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/tls_client.h"
#include "common/crypto/tls_identity.h"
#include "common/crypto/tls_server.h"

// As tls_identity_parse().
MUST_CHECK enum status tls_identity_of_certificate(const X509 *certificate,
                                                   struct tls_identity **ret_identity);

// A connection of the present generation, in its initial state; NULL when out of memory. Any thread. Owned.
MUST_CHECK SSL *tls_server_new_connection(struct tls_server *server);
MUST_CHECK SSL *tls_client_new_connection(const struct tls_client *client);

// A context with what servers and clients have in common; NULL when out of memory. Owned.
MUST_CHECK SSL_CTX *tls_context_new(const SSL_METHOD *method);

// Whether the library's errors, which are forgotten by it, have that among their reasons.
bool tls_has_run_out_of_memory(void);

// The protocol that both ends must speak, as ALPN lists it.
#define TLS_PROTOCOLS ((const unsigned char *)"\x02h2")
#define TLS_PROTOCOLS_LENGTH 3

#endif
