// What servers and clients have in common.
#include <openssl/err.h>
#include <stddef.h>

#include "common/crypto/tls_internal.h"

// Of TLS 1.2; those of 1.3 are all good. Forward secrecy and authenticated encryption, or nothing.
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS "X25519:P-256:P-384"

enum { CERTIFICATES_BYTES_MAX = 64 * 1024, DEPTH_MAX = 8 };

static bool configure(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // An idle connection keeps no room for records.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(context, CERTIFICATES_BYTES_MAX);
    SSL_CTX_set_verify_depth(context, DEPTH_MAX);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, CIPHERS) == 1 && SSL_CTX_set1_groups_list(context, GROUPS) == 1;
}

SSL_CTX *tls_context_new(const SSL_METHOD *method) {
    SSL_CTX *context = SSL_CTX_new(method);
    if (context && configure(context))
        return context;
    SSL_CTX_free(context);
    return NULL;
}

bool tls_has_run_out_of_memory(void) {
    bool has = false;
    for (unsigned long error; (error = ERR_get_error()) != 0;)
        has |= ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
    return has;
}
