#include "common/crypto/tls_client.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/tls_internal.h"
#include "common/crypto/tls_pem.h"

struct tls_client {
    SSL_CTX *context;
    char *server_name;
    bool is_address; // the name is one
};

static enum status use_authorities(SSL_CTX *context, const char *path, const struct tls_sentence *sentence) {
    struct digest digest; // of no use here
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (path)
        return tls_pem_use_authorities(context, path, &digest, sentence);
    return SSL_CTX_set_default_verify_paths(context) == 1 ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status use_certificate(SSL_CTX *context, const struct tls_client_options *options,
                                   const struct tls_sentence *sentence) {
    if (!options->certificate_file)
        return STATUS_OK;
    enum status status = tls_pem_use_certificate(context, options->certificate_file, sentence);
    return status == STATUS_OK ? tls_pem_use_key(context, options->key_file, sentence) : status;
}

// The certificate is for this name or address, by its alternative names and never by its subject.
static bool expect_name(struct tls_client *client) {
    X509_VERIFY_PARAM *verify = SSL_CTX_get0_param(client->context);
    client->is_address = X509_VERIFY_PARAM_set1_ip_asc(verify, client->server_name) == 1;
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return client->is_address || X509_VERIFY_PARAM_set1_host(verify, client->server_name, 0) == 1;
}

static enum status init(struct tls_client *client, const struct tls_client_options *options,
                        const struct tls_sentence *sentence) {
    if (!options->server_name[0]) { // to the library that is every name
        snprintf(sentence->text, sentence->size,
                 "the name that the server's certificate must be for is empty");
        return STATUS_INVALID;
    }
    client->context = tls_context_new(TLS_client_method());
    client->server_name = strdup(options->server_name);
    if (!client->context || !client->server_name || !expect_name(client) ||
        SSL_CTX_set_alpn_protos(client->context, TLS_PROTOCOLS, TLS_PROTOCOLS_LENGTH) != 0)
        return STATUS_NO_MEMORY;
    enum status status = use_authorities(client->context, options->ca_file, sentence);
    return status == STATUS_OK ? use_certificate(client->context, options, sentence) : status;
}

enum status tls_client_new(const struct tls_client_options *options, struct tls_client **ret_client,
                           char *ret_error, size_t error_size) {
    const struct tls_sentence sentence = {ret_error, error_size};
    struct tls_client *client = calloc(1, sizeof(*client));
    snprintf(ret_error, error_size, "%s", status_get_text(STATUS_NO_MEMORY));
    if (!client)
        return STATUS_NO_MEMORY;
    enum status status = init(client, options, &sentence);
    if (status == STATUS_OK)
        *ret_client = client;
    else
        tls_client_free(client);
    return status;
}

void tls_client_free(struct tls_client *client) {
    if (!client)
        return;
    SSL_CTX_free(client->context);
    free(client->server_name);
    free(client);
}

SSL *tls_client_new_connection(const struct tls_client *client) {
    SSL *connection = SSL_new(client->context);
    if (!connection)
        return NULL;
    SSL_set_connect_state(connection);
    // RFC 6066, 3: an address is never told as the name.
    if (client->is_address || SSL_set_tlsext_host_name(connection, client->server_name) == 1)
        return connection;
    SSL_free(connection);
    return NULL;
}
