// Certificates of a test, made on the spot, in files that go with it.
#ifndef LATCHKEY_TESTS_UNIT_CERTIFICATES_H
#define LATCHKEY_TESTS_UNIT_CERTIFICATES_H

#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"

// An alternative name: GEN_DNS, GEN_URI, GEN_EMAIL or GEN_IPADD, and any bytes.
struct certificate_name {
    int type;
    struct bytes text;
};

struct certificate_options {
    const struct certificate_name *names;
    size_t name_count;
    const struct certificate *issuer; // NULL = itself
    bool is_authority;
    long ends_in_s; // 0 = a day
};

struct certificate {
    EVP_PKEY *key;
    X509 *certificate;
    char certificate_file[64], key_file[64]; // in PEM
};

void certificate_make(struct certificate *ret, const struct certificate_options *options);
void certificate_fini(struct certificate *certificate); // and its files

// To be freed with OPENSSL_free().
struct bytes certificate_encode(const struct certificate *certificate);

// The revocation list of an authority, with at most one entry (or NULL), in a file that stands until the
// authority is finished.
void certificate_write_revocations(const struct certificate *authority, const struct certificate *revoked,
                                   const char *path);

#endif
