#include "common/crypto/tls_chain.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "common/crypto/digest.h"
#include "common/crypto/tls_pem.h"

static enum status verify(SSL_CTX *context, const char *certificate_file,
                          const struct tls_sentence *sentence) {
    STACK_OF(X509) *between = NULL;
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    if (!check || SSL_CTX_get0_chain_certs(context, &between) != 1 ||
        X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(context), SSL_CTX_get0_certificate(context),
                            between) != 1 ||
        X509_STORE_CTX_set_purpose(check, X509_PURPOSE_SSL_SERVER) != 1) {
        X509_STORE_CTX_free(check);
        return STATUS_NO_MEMORY;
    }
    bool is_good = X509_verify_cert(check) == 1;
    if (!is_good)
        snprintf(sentence->text, sentence->size, "%s leads to no authority that is trusted: %s",
                 certificate_file, X509_verify_cert_error_string(X509_STORE_CTX_get_error(check)));
    X509_STORE_CTX_free(check);
    return is_good ? STATUS_OK : STATUS_INVALID;
}

enum status tls_chain_check(const char *certificate_file, const char *authorities_file, char *ret_error,
                            size_t error_size) {
    const struct tls_sentence sentence = {ret_error, error_size};
    struct digest digest;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    enum status status = context ? STATUS_OK : STATUS_NO_MEMORY;
    snprintf(ret_error, error_size, "%s", status_get_text(STATUS_NO_MEMORY));
    if (status == STATUS_OK)
        status = tls_pem_use_certificate(context, certificate_file, &sentence);
    if (status == STATUS_OK && authorities_file)
        status = tls_pem_use_authorities(context, authorities_file, &digest, &sentence);
    else if (status == STATUS_OK && SSL_CTX_set_default_verify_paths(context) != 1)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = verify(context, certificate_file, &sentence);
    SSL_CTX_free(context);
    return status;
}
