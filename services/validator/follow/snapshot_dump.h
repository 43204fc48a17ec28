// One snapshot file out of an image that goes on being changed: the rows are taken in short slices on the
// writer's thread, between its rounds (image_export.h says why that is sound), and written by another
// (snapshot_sink.h).
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_DUMP_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_DUMP_H

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/follow/snapshot_format.h"
#include "services/validator/image/image.h"

struct snapshot_dump;

enum snapshot_dump_state {
    SNAPSHOT_DUMP_RUNS,
    SNAPSHOT_DUMP_WAITS, // for the disk: there is nothing to do now
    SNAPSHOT_DUMP_OVER,  // free it
};

// At the image's present positions. Borrows the path, and the image until the dump is over or
// told to forget it.
MUST_CHECK enum status snapshot_dump_new(const char *path, const struct snapshot_identity *identity,
                                         const struct image *image, const struct clock *clock,
                                         struct snapshot_dump **ret_dump);

// Takes rows for about as long as that; a list of a company goes as a whole.
enum snapshot_dump_state snapshot_dump_run(struct snapshot_dump *dump, uint64_t slice_ns);

// All that is left, waiting for the disk.
void snapshot_dump_run_to_end(struct snapshot_dump *dump);

// The image is going to be freed: a file that needs more of it is given up (CANCELLED). Never blocks.
void snapshot_dump_forget_image(struct snapshot_dump *dump);

// Waits for the disk if it is not over. OK: the file stands. What was wrong as from snapshot_sink_free().
enum status snapshot_dump_free(struct snapshot_dump *dump, int *ret_error, uint64_t *ret_bytes);

#endif
