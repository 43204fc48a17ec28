// A ticket that was given to a client with a certificate stands for that certificate being good. So it is
// tied to the authorities and revocation lists that were asked (the session id context): when one of these
// files has changed, earlier tickets are no good, and everybody shows their certificate again.
#include "common/crypto/tls_server.h"

#include <assert.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/crypto/tls_internal.h"
#include "common/crypto/tls_pem.h"
#include "common/crypto/tls_tickets.h"

enum { TICKETS_PER_HANDSHAKE = 1 };

struct tls_server {
    // Constant once made.
    char *certificate_file, *key_file, *client_ca_file, *revocation_file;
    bool require_client_certificate;
    struct tls_tickets *tickets;

    pthread_mutex_t mutex;
    // Under `mutex`.
    SSL_CTX *present;
    int64_t expiry_s;
};

// ---- HTTP/2, or nothing ----

static int on_protocols(SSL *connection, const unsigned char **ret, unsigned char *ret_length,
                        const unsigned char *offered, unsigned length, void *context) {
    (void)connection, (void)context;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, ret_length, TLS_PROTOCOLS, TLS_PROTOCOLS_LENGTH, offered, length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

// A client that offers no protocol at all is never asked by the callback above.
static int on_client_hello(SSL *connection, int *ret_alert, void *context) {
    (void)context;
    const unsigned char *offered;
    size_t length;
    if (SSL_client_hello_get0_ext(connection, TLSEXT_TYPE_application_layer_protocol_negotiation, &offered,
                                  &length) == 1)
        return SSL_CLIENT_HELLO_SUCCESS;
    *ret_alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
}

// ---- who vouches for clients ----

// A name that could be understood in two ways is refused while the handshake can still say so.
static int verify(X509_STORE_CTX *chain, void *context) {
    (void)context;
    if (X509_verify_cert(chain) <= 0)
        return 0;
    struct tls_identity *identity;
    if (tls_identity_of_certificate(X509_STORE_CTX_get0_cert(chain), &identity) != STATUS_OK) {
        X509_STORE_CTX_set_error(chain, X509_V_ERR_INVALID_EXTENSION);
        return 0;
    }
    tls_identity_release(identity);
    return 1;
}

static enum status use_client_authorities(const struct tls_server *server, SSL_CTX *context,
                                          const struct tls_sentence *sentence) {
    struct digest trust[2] = {0}, mark;
    enum status status = tls_pem_use_authorities(context, server->client_ca_file, &trust[0], sentence);
    if (status == STATUS_OK && server->revocation_file)
        status = tls_pem_use_revocations(context, server->revocation_file, &trust[1], sentence);
    if (status != STATUS_OK)
        return status;
    int mode = SSL_VERIFY_PEER;
    if (server->require_client_certificate)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context, mode, NULL);
    SSL_CTX_set_cert_verify_callback(context, verify, NULL);
    digest_sha256(bytes_of(trust, sizeof(trust)), &mark);
    static_assert(sizeof(mark) <= SSL_MAX_SID_CTX_LENGTH, "the digest is the session id context");
    SSL_CTX_set_session_id_context(context, mark.bytes, sizeof(mark.bytes));
    return STATUS_OK;
}

// ---- generations ----

static enum status fill(const struct tls_server *server, SSL_CTX *context,
                        const struct tls_sentence *sentence) {
    SSL_CTX_set_alpn_select_cb(context, on_protocols, NULL);
    SSL_CTX_set_client_hello_cb(context, on_client_hello, NULL);
    SSL_CTX_set_num_tickets(context, TICKETS_PER_HANDSHAKE);
    SSL_CTX_set_max_early_data(context, 0);
    if (!tls_tickets_use(server->tickets, context))
        return STATUS_NO_MEMORY;
    enum status status = tls_pem_use_certificate(context, server->certificate_file, sentence);
    if (status == STATUS_OK)
        status = tls_pem_use_key(context, server->key_file, sentence);
    if (status == STATUS_OK && server->client_ca_file)
        status = use_client_authorities(server, context, sentence);
    return status;
}

static int64_t get_expiry_s(const SSL_CTX *context) {
    struct tm end;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context)), &end) != 1)
        return 0;
    return timegm(&end);
}

static void put_in_place(struct tls_server *server, SSL_CTX *context) {
    pthread_mutex_lock(&server->mutex);
    SSL_CTX *before = server->present;
    server->present = context;
    server->expiry_s = get_expiry_s(context);
    pthread_mutex_unlock(&server->mutex);
    SSL_CTX_free(before);
}

enum status tls_server_reload(struct tls_server *server, char *ret_error, size_t error_size) {
    const struct tls_sentence sentence = {ret_error, error_size};
    snprintf(ret_error, error_size, "%s", status_get_text(STATUS_NO_MEMORY));
    SSL_CTX *context = tls_context_new(TLS_server_method());
    if (!context)
        return STATUS_NO_MEMORY;
    enum status status = fill(server, context, &sentence);
    if (status == STATUS_OK)
        put_in_place(server, context);
    else
        SSL_CTX_free(context);
    return status;
}

// ---- the server ----

static bool copy_path(char **ret_copy, const char *path) {
    *ret_copy = path ? strdup(path) : NULL;
    return *ret_copy || !path;
}

static bool init(struct tls_server *server, const struct tls_server_options *options) {
    server->require_client_certificate = options->require_client_certificate;
    server->tickets = tls_tickets_new(options->clock);
    return server->tickets && copy_path(&server->certificate_file, options->certificate_file) &&
           copy_path(&server->key_file, options->key_file) &&
           copy_path(&server->client_ca_file, options->client_ca_file) &&
           copy_path(&server->revocation_file, options->revocation_file);
}

enum status tls_server_new(const struct tls_server_options *options, struct tls_server **ret_server,
                           char *ret_error, size_t error_size) {
    struct tls_server *server = calloc(1, sizeof(*server));
    snprintf(ret_error, error_size, "%s", status_get_text(STATUS_NO_MEMORY));
    if (!server)
        return STATUS_NO_MEMORY;
    pthread_mutex_init(&server->mutex, NULL);
    enum status status = STATUS_NO_MEMORY;
    if (init(server, options))
        status = tls_server_reload(server, ret_error, error_size);
    if (status == STATUS_OK)
        *ret_server = server;
    else
        tls_server_free(server);
    return status;
}

void tls_server_free(struct tls_server *server) {
    if (!server)
        return;
    SSL_CTX_free(server->present);
    tls_tickets_free(server->tickets);
    pthread_mutex_destroy(&server->mutex);
    free(server->certificate_file);
    free(server->key_file);
    free(server->client_ca_file);
    free(server->revocation_file);
    free(server);
}

int64_t tls_server_get_expiry_s(struct tls_server *server) {
    pthread_mutex_lock(&server->mutex);
    int64_t expiry_s = server->expiry_s;
    pthread_mutex_unlock(&server->mutex);
    return expiry_s;
}

SSL *tls_server_new_connection(struct tls_server *server) {
    pthread_mutex_lock(&server->mutex);
    SSL *connection = SSL_new(server->present);
    pthread_mutex_unlock(&server->mutex);
    if (connection)
        SSL_set_accept_state(connection);
    return connection;
}
