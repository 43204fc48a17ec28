// Any bytes as a gzip member, never to more than is allowed; and any bytes into one and back.
#include <assert.h>

#include "common/grpc/compression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INFLATED_MAX = 256 * 1024 };

// One pair of states for all inputs, as a loop has one for all messages: what a bad one leaves behind must
// not matter to the next.
static struct compression compression;

static void check_inflate(struct bytes from) {
    struct buffer to = {0};
    enum status status =
        compression_inflate(&compression, from, &(struct inflate_limit){.max_bytes = INFLATED_MAX}, &to);
    assert(status == STATUS_OK || status == STATUS_MALFORMED || status == STATUS_TOO_LARGE);
    assert(status != STATUS_OK || to.len <= INFLATED_MAX);
    buffer_fini(&to);
}

static void check_round_trip(struct bytes from) {
    struct buffer deflated = {0}, inflated = {0};
    enum status status = compression_deflate(&compression, from, &deflated);
    assert(status == STATUS_OK);
    status = compression_inflate(&compression, buffer_get_bytes(&deflated),
                                 &(struct inflate_limit){.max_bytes = from.len}, &inflated);
    assert(status == STATUS_OK && bytes_is_equal(buffer_get_bytes(&inflated), from));
    buffer_fini(&inflated);
    if (from.len > 0) {
        status = compression_inflate(&compression, buffer_get_bytes(&deflated),
                                     &(struct inflate_limit){.max_bytes = from.len - 1}, &inflated);
        assert(status == STATUS_TOO_LARGE);
    }
    buffer_fini(&inflated);
    buffer_fini(&deflated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_inflate(bytes_of(data, size));
    check_round_trip(bytes_of(data, size));
    check_inflate(bytes_of(data, size));
    return 0;
}
