// Any bytes as gzip: never more than the limit comes out, and what does come back is the same when it is
// compressed and inflated again.
#include <assert.h>

#include "common/grpc/compression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 64 * 1024 };

static void go_round(struct compression *compression, struct bytes plain) {
    struct buffer packed = {0}, again = {0};
    enum status status = compression_deflate(compression, plain, &packed);
    assert(status == STATUS_OK);
    status = compression_inflate(compression, buffer_get_bytes(&packed), LIMIT, &again);
    assert(status == STATUS_OK && bytes_is_equal(plain, buffer_get_bytes(&again)));
    buffer_fini(&packed);
    buffer_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct compression compression = {0};
    struct buffer plain = {0};
    enum status status = compression_inflate(&compression, bytes_of(data, size), LIMIT, &plain);
    assert(plain.len <= LIMIT + 1);
    if (status == STATUS_OK)
        go_round(&compression, buffer_get_bytes(&plain));
    buffer_fini(&plain);
    compression_fini(&compression);
    return 0;
}
