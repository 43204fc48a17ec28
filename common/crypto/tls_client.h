// TLS for clients of one server's name: whom they trust, and the certificate that they show if the server
// asks for one. Versions, ciphers and ALPN as in tls_server.h.
#ifndef LATCHKEY_COMMON_CRYPTO_TLS_CLIENT_H
#define LATCHKEY_COMMON_CRYPTO_TLS_CLIENT_H

#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"

struct tls_client;

// PEM files.
struct tls_client_options {
    const char *ca_file;          // who may vouch for the server; NULL = the system's authorities
    const char *certificate_file; // NULL = none; with it `key_file`
    const char *key_file;
    const char *server_name; // what the certificate must be for: a host name, or an address as text
};

// INVALID or NO_MEMORY, and a sentence in `ret_error` that names the file, or says that the name is empty.
// *ret_client is owned; one thread.
MUST_CHECK enum status tls_client_new(const struct tls_client_options *options,
                                      struct tls_client **ret_client, char *ret_error, size_t error_size);

// Sessions of it may live on. Takes NULL.
void tls_client_free(struct tls_client *client);

#endif
