// Any bytes as the small texts of a call: time-outs, base64 and percent signs. What is read is written and
// read back as the same.
#include <assert.h>

#include "common/grpc/percent.h"
#include "common/grpc/timeout.h"
#include "common/protobuf/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_timeouts(struct bytes text) {
    char formatted[TIMEOUT_TEXT_MAX + 1];
    uint64_t timeout_ns, again_ns;
    if (timeout_parse_ms(text, &timeout_ns))
        assert(timeout_ns <= INT64_MAX);
    if (!timeout_parse(text, &timeout_ns))
        return;
    assert(timeout_ns <= INT64_MAX);
    size_t len = timeout_format(timeout_ns, formatted);
    assert(timeout_parse(bytes_of(formatted, len), &again_ns) && again_ns >= timeout_ns);
}

static void check_base64(struct bytes text, struct arena *arena) {
    struct bytes bytes, again;
    uint8_t *padded = arena_allocate(arena, base64_measure_padded(text.len));
    base64_write_padded(text, padded);
    enum status status = base64_decode_any(arena, bytes_of(padded, base64_measure_padded(text.len)), &again);
    assert(status == STATUS_OK && bytes_is_equal(again, text));
    if (base64_decode_any(arena, text, &bytes) != STATUS_OK) {
        assert(base64_decode(arena, text, &bytes) == STATUS_INVALID);
        return;
    }
    status = base64_decode(arena, base64_encode(arena, bytes), &again);
    assert(status == STATUS_OK && bytes_is_equal(again, bytes));
}

static void check_percent(struct bytes text, struct arena *arena) {
    struct bytes encoded = percent_encode(arena, text);
    assert(bytes_is_equal(percent_decode(arena, encoded), text));
    for (size_t i = 0; i < encoded.len; i++)
        assert(encoded.data[i] >= ' ' && encoded.data[i] < 0x7f);
    assert(percent_decode(arena, text).len <= text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    arena_init(&arena, 0);
    check_timeouts(bytes_of(data, size));
    check_base64(bytes_of(data, size), &arena);
    check_percent(bytes_of(data, size), &arena);
    arena_fini(&arena);
    return 0;
}
