// Any bytes as the file that says what clients may do: a mistake is told with its line, and what is taken
// gives somebody who is not in it nothing.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/client_rights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t find(const struct client_rights *rights, const char *name) {
    struct tls_identity *identity = calloc(1, sizeof(*identity) + sizeof(identity->names[0]));
    assert(identity);
    identity->count = 1;
    identity->names[0] = name;
    uint32_t bits = client_rights_find(rights, identity);
    free(identity);
    return bits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char error[256] = "";
    struct client_rights *rights = NULL;
    enum status status = client_rights_parse(bytes_of(data, size), "file", &rights, error, sizeof(error));
    if (status == STATUS_OK) {
        assert(find(rights, "spiffe://nobody/../has/this") == 0);
        assert(find(rights, "") == 0);
        assert((find(rights, "dns:a.test") & ~((1u << CLIENT_RIGHT_COUNT) - 1)) == 0);
    } else {
        assert(status == STATUS_INVALID && !rights);
        assert(strncmp(error, "file:", 5) == 0);
    }
    client_rights_free(rights);
    return 0;
}
