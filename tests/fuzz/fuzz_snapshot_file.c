// Any bytes as a snapshot file, and, behind a header and under digests that are right, as blocks of rows: an
// image or a refusal, and nothing left behind.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/validator/follow/snapshot_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct snapshot_identity identity = {1, 2, 3, 4, {UINT64_MAX}};
static const atomic_bool is_stopping = false;

static bool read_memory(void *context, uint8_t *to, size_t len) {
    struct bytes *rest = context;
    if (rest->len < len)
        return false;
    memcpy(to, rest->data, len);
    *rest = bytes_of(rest->data + len, rest->len - len);
    return true;
}

static void read_file(struct bytes file) {
    static struct snapshot_progress progress;
    struct reclaim reclaim = {0};
    struct image *image = NULL;
    struct snapshot_found found;
    const char *why = NULL;
    const struct snapshot_source source = {read_memory, &file};
    const struct snapshot_file_options options = {.identity = identity,
                                                  .clock = clock_get_system(),
                                                  .reclaim = &reclaim,
                                                  .is_stopping = &is_stopping,
                                                  .progress = &progress,
                                                  .round = 1};
    enum status status = snapshot_file_read(&source, &options, &found, &image, &why);
    assert(status == STATUS_OK ? image != NULL : image == NULL);
    assert(status != STATUS_INVALID || why);
    reclaim_fini(&reclaim);
    image_free(image);
}

// A byte for the kind and two for the length, then the rows; again and again.
static void sign_blocks(struct buffer *to, struct bytes data, struct snapshot_chain *chain) {
    struct cursor cursor = cursor_of(data);
    uint8_t head[SNAPSHOT_BLOCK_HEAD_BYTES], end[SNAPSHOT_POSITIONS_BYTES] = {0};
    while (cursor.rest.len >= 3) {
        enum row_kind kind = cursor_read_u8(&cursor) % ROW_KINDS;
        size_t len = cursor_read_u16(&cursor);
        struct bytes rows = cursor_read_bytes(&cursor, len < cursor.rest.len ? len : cursor.rest.len);
        snapshot_write_block_head(head, kind, rows, chain);
        buffer_append(to, bytes_of(head, sizeof(head)));
        buffer_append(to, rows);
    }
    snapshot_write_block_head(head, ROW_KINDS, bytes_of(end, sizeof(end)), chain);
    buffer_append(to, bytes_of(head, sizeof(head)));
    buffer_append(to, bytes_of(end, sizeof(end)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buffer file = {0};
    const struct snapshot_header header = {.identity = identity, .key = {{1, 2}}};
    struct snapshot_chain chain;
    read_file(bytes_of(data, size));
    snapshot_write_header(&file, &header, &chain);
    sign_blocks(&file, bytes_of(data, size), &chain);
    assert(!file.failed);
    read_file(buffer_get_bytes(&file));
    buffer_fini(&file);
    return 0;
}
