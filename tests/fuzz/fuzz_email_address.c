// Any bytes as an e-mail address: what is taken has one @, a domain with a dot, nothing that a mail header
// would read as something else, and reads as itself.
#include <assert.h>
#include <string.h>

#include "services/invitation/email_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct email_address address, again;
    if (email_address_parse(bytes_of(data, size), &address) != EMAIL_PARSE_OK)
        return 0;
    const char *at = strchr(address.text, '@');
    assert(at && at > address.text && at - address.text <= EMAIL_LOCAL_MAX);
    assert(!strchr(at + 1, '@') && strchr(at, '.'));
    for (const char *c = address.text; *c; c++)
        assert(*c > ' ' && *c < 0x7F && !strchr("<>()[],;:\\\"", *c));
    enum email_parse_result result = email_address_parse(bytes_of_text(address.text), &again);
    assert(result == EMAIL_PARSE_OK && strcmp(address.text, again.text) == 0);
    return 0;
}
