// Any bytes as a certificate: what names somebody does so in the form that configuration can name them by,
// and at most one SPIFFE id, first.
#include <assert.h>
#include <string.h>

#include "common/crypto/tls_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tls_identity *identity) {
    assert(identity->count > 0 && identity->count <= TLS_IDENTITY_NAMES_MAX);
    for (size_t i = 0; i < identity->count; i++) {
        assert(tls_identity_has_form(bytes_of_text(identity->names[i])));
        assert(i == 0 || strncmp(identity->names[i], "dns:", 4) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct tls_identity *identity = NULL;
    enum status status = tls_identity_parse(bytes_of(data, size), &identity);
    assert(status == STATUS_OK || (status == STATUS_INVALID && !identity));
    if (identity)
        check(identity);
    tls_identity_release(identity);
    return 0;
}
