// Any bytes as the first ones of a TLS client, one more each time: what is once judged stays so, and nothing
// beyond what is there is looked at.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 256 };

static enum tls_hello look(const uint8_t *data, size_t len) {
    uint8_t *exact = malloc(len > 0 ? len : 1);
    assert(exact);
    if (len > 0)
        memcpy(exact, data, len);
    enum tls_hello seen = tls_hello_look(bytes_of(exact, len));
    free(exact);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum tls_hello before = TLS_HELLO_UNFINISHED;
    for (size_t len = 0; len <= size; len += len < STEPS_MAX || len == size ? 1 : size - len) {
        enum tls_hello seen = look(data, len);
        assert(before == TLS_HELLO_UNFINISHED || seen == before);
        before = seen;
    }
    return 0;
}
