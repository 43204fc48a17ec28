// A provider's discovery document: where its endpoints are.
#ifndef LATCHKEY_COMMON_OPENID_DOCUMENT_H
#define LATCHKEY_COMMON_OPENID_DOCUMENT_H

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/openid/openid_url.h"

struct openid_document {
    char authorization_url[OPENID_URL_MAX + 1];
    char token_url[OPENID_URL_MAX + 1];
    char keys_url[OPENID_URL_MAX + 1];
    bool names_issuer; // in each answer (RFC 9207)
};

// NULL: it is read. Otherwise what is wrong with it: it is no JSON, is another issuer's, or has no endpoint
// that is safe. `ret_document` is untouched then.
MUST_CHECK const char *openid_document_read(struct bytes text, const char *issuer,
                                            struct openid_document *ret_document);

#endif
