#include "tests/unit/certificates.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DAY_S = 86400, HOUR_S = 3600 };

static void add_names(X509 *certificate, const struct certificate_options *options) {
    GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
    for (size_t i = 0; i < options->name_count; i++) {
        const struct certificate_name *from = &options->names[i];
        ASN1_STRING *text =
            ASN1_STRING_type_new(from->type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_STRING_set(text, from->text.data ? from->text.data : (const uint8_t *)"", (int)from->text.len);
        GENERAL_NAME_set0_value(name, from->type, text);
        sk_GENERAL_NAME_push(list, name);
    }
    if (options->name_count > 0 && X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, 0) != 1)
        abort();
    GENERAL_NAMES_free(list);
}

static void add_constraints(X509 *certificate, bool is_authority) {
    BASIC_CONSTRAINTS constraints = {.ca = is_authority ? 0xff : 0};
    if (X509_add1_ext_i2d(certificate, NID_basic_constraints, &constraints, 1, 0) != 1)
        abort();
}

static void name(X509 *certificate, const struct certificate *issuer) {
    static long serial = 1;
    char text[32];
    snprintf(text, sizeof(text), "test %ld", serial);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, (uint8_t *)text, -1,
                               -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer->certificate : certificate));
}

static FILE *open_new(char path[64], const char *kind) {
    static int count;
    snprintf(path, 64, "/tmp/test_%s.%d.%d", kind, (int)getpid(), count++);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!to)
        abort();
    return to;
}

static void write_files(struct certificate *certificate) {
    FILE *to = open_new(certificate->certificate_file, "certificate");
    PEM_write_X509(to, certificate->certificate);
    fclose(to);
    to = open_new(certificate->key_file, "key");
    PEM_write_PrivateKey(to, certificate->key, NULL, NULL, 0, NULL, NULL);
    fclose(to);
}

void certificate_make(struct certificate *ret, const struct certificate_options *options) {
    long ends_in_s = options->ends_in_s ? options->ends_in_s : DAY_S;
    ret->key = EVP_EC_gen("P-256");
    ret->certificate = X509_new();
    X509_set_version(ret->certificate, X509_VERSION_3);
    X509_set_pubkey(ret->certificate, ret->key);
    X509_gmtime_adj(X509_getm_notBefore(ret->certificate), ends_in_s < 0 ? 2 * ends_in_s : -HOUR_S);
    X509_gmtime_adj(X509_getm_notAfter(ret->certificate), ends_in_s);
    name(ret->certificate, options->issuer);
    add_constraints(ret->certificate, options->is_authority);
    add_names(ret->certificate, options);
    if (X509_sign(ret->certificate, options->issuer ? options->issuer->key : ret->key, EVP_sha256()) == 0)
        abort();
    write_files(ret);
}

void certificate_fini(struct certificate *certificate) {
    unlink(certificate->certificate_file);
    unlink(certificate->key_file);
    EVP_PKEY_free(certificate->key);
    X509_free(certificate->certificate);
}

struct bytes certificate_encode(const struct certificate *certificate) {
    unsigned char *der = NULL;
    int len = i2d_X509(certificate->certificate, &der);
    if (len <= 0)
        abort();
    return bytes_of(der, (size_t)len);
}

void certificate_write_revocations(const struct certificate *authority, const struct certificate *revoked,
                                   const char *path) {
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -1), *next = X509_gmtime_adj(NULL, HOUR_S);
    X509_CRL_set_version(list, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(authority->certificate));
    X509_CRL_set1_lastUpdate(list, now);
    X509_CRL_set1_nextUpdate(list, next);
    if (revoked) {
        X509_REVOKED *entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->certificate));
        X509_REVOKED_set_revocationDate(entry, now);
        X509_CRL_add0_revoked(list, entry);
    }
    if (X509_CRL_sign(list, authority->key, EVP_sha256()) == 0)
        abort();
    FILE *to = fopen(path, "w");
    if (!to)
        abort();
    PEM_write_X509_CRL(to, list);
    fclose(to);
    X509_CRL_free(list);
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
}
