// Any bytes as what a feeder tells: an image takes them or refuses them, and can be freed.
#include <assert.h>

#include "common/protobuf/message.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/follow/feed_reader_rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static void apply(struct arena *arena, struct reclaim *reclaim, const Latchkey__V1__FeedRows *rows) {
    const struct fingerprint_key key = {{1, 2}};
    struct image *image;
    if (image_new(reclaim, &key, LANE_SET_ALL, &image) != STATUS_OK)
        return;
    struct feed_reader reader = {.image = image, .arena = arena};
    // Twice: what is there already is put in its own place.
    for (int i = 0; i < 2; i++) {
        image_begin_pass(image);
        (void)!feed_reader_apply(&reader, rows);
    }
    feed_reader_fini(&reader);
    reclaim_run(reclaim);
    image_free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    struct reclaim reclaim = {.count = 0};
    ProtobufCMessage *message;
    const char *text;
    arena_init(&arena, ARENA_BYTES_MAX);
    if (message_unpack(&latchkey__v1__watch_changes_response__descriptor, bytes_of(data, size), &arena,
                       &message, &text) == STATUS_OK) {
        const Latchkey__V1__WatchChangesResponse *response = (const void *)message;
        if (response->rows)
            apply(&arena, &reclaim, response->rows);
    }
    reclaim_fini(&reclaim);
    arena_fini(&arena);
    return 0;
}
