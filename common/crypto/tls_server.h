// TLS for servers: a certificate with its key, who may vouch for clients, and which of them are revoked, as
// files that can be replaced while it runs. TLS 1.2 (ECDHE and AEAD only) and 1.3, HTTP/2 by ALPN or nothing,
// no renegotiation, no compression, no early data. Sessions are resumed by tickets that the server keeps no
// state for (tls_tickets.h).
//
// A set of files becomes a generation: built aside, checked whole, and put in place of the one before.
// Connections keep the one that they began with.
#ifndef LATCHKEY_COMMON_CRYPTO_TLS_SERVER_H
#define LATCHKEY_COMMON_CRYPTO_TLS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

struct tls_server;

// PEM files; the paths are copied.
struct tls_server_options {
    const char *certificate_file;    // the server's own first, then those that lead to its authority
    const char *key_file;            // not encrypted
    const char *client_ca_file;      // who may vouch for clients; NULL = none is asked for a certificate
    bool require_client_certificate; // else a client may come without one
    const char
        *revocation_file;      // certificate revocation lists, one of each authority in the way; NULL = none
    const struct clock *clock; // borrows
};

// INVALID, UNAVAILABLE (the file could not be read now) or NO_MEMORY, and a sentence in `ret_error` that
// names the file. *ret_server is owned.
MUST_CHECK enum status tls_server_new(const struct tls_server_options *options,
                                      struct tls_server **ret_server, char *ret_error, size_t error_size);

// After the last session of it. Takes NULL.
void tls_server_free(struct tls_server *server);

// Reads the files again. OK: what begins from now on goes by them. Else nothing has changed, and a sentence
// in `ret_error` says which file is wrong. From one thread at a time; sessions may begin meanwhile.
MUST_CHECK enum status tls_server_reload(struct tls_server *server, char *ret_error, size_t error_size);

// When the certificate in use ends, Unix time in seconds. Any thread.
int64_t tls_server_get_expiry_s(struct tls_server *server);

#endif
