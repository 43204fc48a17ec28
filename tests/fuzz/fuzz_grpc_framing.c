// Any bytes as DATA, whole and one byte at a time: the same messages, or the same error at the same message.
#include <assert.h>

#include "common/grpc/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LENGTH_MAX = 1000 };

struct outcome {
    struct buffer messages; // each with its length in front
    enum framing_result last;
};

static void read_all(struct framing *framing, struct bytes part, struct outcome *outcome) {
    struct bytes message;
    while (outcome->last == FRAMING_MORE) {
        enum framing_result result = framing_read(framing, &part, &message);
        if (result != FRAMING_MESSAGE) {
            outcome->last = result;
            break;
        }
        assert(message.len <= LENGTH_MAX);
        buffer_append_format(&outcome->messages, "%zu:", message.len);
        buffer_append(&outcome->messages, message);
    }
}

static struct outcome read_in_parts(struct bytes data, size_t part_len) {
    struct framing framing;
    struct outcome outcome = {.last = FRAMING_MORE};
    framing_init(&framing, LENGTH_MAX);
    while (data.len > 0 && outcome.last == FRAMING_MORE) {
        size_t len = data.len < part_len ? data.len : part_len;
        read_all(&framing, bytes_of(data.data, len), &outcome);
        data = bytes_of(data.data + len, data.len - len);
    }
    framing_fini(&framing);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes all = bytes_of(data, size);
    struct outcome whole = read_in_parts(all, size ? size : 1), single = read_in_parts(all, 1);
    assert(whole.last == single.last);
    assert(bytes_is_equal(buffer_get_bytes(&whole.messages), buffer_get_bytes(&single.messages)));
    buffer_fini(&whole.messages);
    buffer_fini(&single.messages);
    return 0;
}
