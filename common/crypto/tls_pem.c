#include "common/crypto/tls_pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/whole_file.h"
#include "common/crypto/tls_internal.h"

enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };

// A file as it was at one moment, to be read by OpenSSL.
struct pem {
    const char *path;
    const struct tls_sentence *sentence;
    struct buffer text;
    BIO *bio;
};

static enum status fail(const struct pem *pem, const char *what) {
    snprintf(pem->sentence->text, pem->sentence->size, "%s %s", pem->path, what);
    return STATUS_INVALID;
}

static enum status fail_by_library(const struct pem *pem, const char *what) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(pem->sentence->text, pem->sentence->size, "%s %s: %s", pem->path, what,
             reason ? reason : "no reason is told");
    return tls_has_run_out_of_memory() ? STATUS_NO_MEMORY : STATUS_INVALID;
}

static enum status open_pem(struct pem *pem) {
    ERR_clear_error();
    enum status status =
        whole_file_read(pem->path, &pem->text, FILE_BYTES_MAX, pem->sentence->text, pem->sentence->size);
    if (status != STATUS_OK)
        return status;
    if (pem->text.len == 0)
        return fail(pem, "is empty");
    pem->bio = BIO_new_mem_buf(pem->text.data, (int)pem->text.len);
    return pem->bio ? STATUS_OK : STATUS_NO_MEMORY;
}

// It may have held a key.
static void close_pem(struct pem *pem) {
    BIO_free(pem->bio);
    if (pem->text.data)
        OPENSSL_cleanse(pem->text.data, pem->text.len);
    buffer_fini(&pem->text);
    ERR_clear_error();
}

static struct pem pem_of(const char *path, const struct tls_sentence *sentence) {
    return (struct pem){.path = path, .sentence = sentence};
}

// Whether the last object could not be read because there was none, as opposed to a broken one.
static bool is_at_end(void) {
    unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

// Nobody is there to be asked for a password.
static int give_no_password(char *to, int size, int for_writing, void *context) {
    (void)to, (void)size, (void)for_writing, (void)context;
    return -1;
}

// ---- certificate and key ----

static enum status use_chain(SSL_CTX *context, const struct pem *pem) {
    X509 *next;
    SSL_CTX_clear_chain_certs(context);
    while ((next = PEM_read_bio_X509(pem->bio, NULL, give_no_password, NULL))) {
        if (SSL_CTX_add0_chain_cert(context, next) != 1) {
            X509_free(next);
            return fail_by_library(pem, "holds a chain that is refused");
        }
    }
    return is_at_end() ? STATUS_OK : fail(pem, "holds a broken certificate");
}

static enum status use_certificate(SSL_CTX *context, const struct pem *pem) {
    X509 *certificate = PEM_read_bio_X509(pem->bio, NULL, give_no_password, NULL);
    if (!certificate)
        return fail(pem, "holds no certificate in PEM");
    enum status status = STATUS_OK;
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
        status = fail(pem, "holds a certificate that has expired");
    else if (SSL_CTX_use_certificate(context, certificate) != 1)
        status = fail_by_library(pem, "holds a certificate that is refused");
    X509_free(certificate);
    return status == STATUS_OK ? use_chain(context, pem) : status;
}

enum status tls_pem_use_certificate(SSL_CTX *context, const char *path, const struct tls_sentence *sentence) {
    struct pem pem = pem_of(path, sentence);
    enum status status = open_pem(&pem);
    if (status == STATUS_OK)
        status = use_certificate(context, &pem);
    close_pem(&pem);
    return status;
}

static enum status use_key(SSL_CTX *context, const struct pem *pem) {
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem->bio, NULL, give_no_password, NULL);
    if (!key)
        return fail(pem, "holds no private key in PEM that can be read without a password");
    bool is_used = SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    return is_used ? STATUS_OK : fail(pem, "is not the key of the certificate");
}

enum status tls_pem_use_key(SSL_CTX *context, const char *path, const struct tls_sentence *sentence) {
    struct pem pem = pem_of(path, sentence);
    enum status status = open_pem(&pem);
    if (status == STATUS_OK)
        status = use_key(context, &pem);
    close_pem(&pem);
    return status;
}

// ---- authorities and revocations ----

// What a certificate is good for OpenSSL finds out when it is first needed, and keeps, also where memory has
// failed it then: an authority would be unknown to all connections for good. So it is needed here. One with
// extensions that make no sense vouches for nobody, and the others of its file do.
static bool prepare(X509 *authority) {
    return X509_check_purpose(authority, -1, 0) == 1 || !tls_has_run_out_of_memory();
}

static enum status use_authorities(SSL_CTX *context, const struct pem *pem) {
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509 *authority;
    size_t count = 0;
    for (; (authority = PEM_read_bio_X509(pem->bio, NULL, give_no_password, NULL)); count++) {
        // The last tells clients which certificates are of use.
        bool is_used = prepare(authority) && X509_STORE_add_cert(store, authority) == 1 &&
                       SSL_CTX_add_client_CA(context, authority) == 1;
        X509_free(authority);
        if (!is_used)
            return fail_by_library(pem, "holds an authority that is refused");
    }
    if (count > 0 && is_at_end())
        return STATUS_OK;
    return fail(pem, count > 0 ? "holds a broken certificate" : "holds no certificate in PEM");
}

enum status tls_pem_use_authorities(SSL_CTX *context, const char *path, struct digest *ret_digest,
                                    const struct tls_sentence *sentence) {
    struct pem pem = pem_of(path, sentence);
    enum status status = open_pem(&pem);
    if (status == STATUS_OK)
        status = use_authorities(context, &pem);
    if (status == STATUS_OK)
        digest_sha256(buffer_get_bytes(&pem.text), ret_digest);
    close_pem(&pem);
    return status;
}

static enum status use_revocations(SSL_CTX *context, const struct pem *pem) {
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509_CRL *list;
    size_t count = 0;
    for (; (list = PEM_read_bio_X509_CRL(pem->bio, NULL, give_no_password, NULL)); count++) {
        bool is_used = X509_STORE_add_crl(store, list) == 1;
        X509_CRL_free(list);
        if (!is_used)
            return fail_by_library(pem, "holds a revocation list that is refused");
    }
    if (count == 0)
        return fail(pem, "holds no certificate revocation list in PEM");
    if (!is_at_end())
        return fail(pem, "holds a broken certificate revocation list");
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return STATUS_OK;
}

enum status tls_pem_use_revocations(SSL_CTX *context, const char *path, struct digest *ret_digest,
                                    const struct tls_sentence *sentence) {
    struct pem pem = pem_of(path, sentence);
    enum status status = open_pem(&pem);
    if (status == STATUS_OK)
        status = use_revocations(context, &pem);
    if (status == STATUS_OK)
        digest_sha256(buffer_get_bytes(&pem.text), ret_digest);
    close_pem(&pem);
    return status;
}
