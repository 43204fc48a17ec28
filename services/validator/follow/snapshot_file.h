// A snapshot file into an image. Nothing of it is believed but what its digests and a parse with bounds prove
// (snapshot_format.h), and what the image then holds is old: whoever serves it first applies all that came
// after its positions, and makes sure that the database's history has those at the file's end.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_FILE_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_FILE_H

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/follow/snapshot_format.h"
#include "services/validator/follow/snapshot_progress.h"
#include "services/validator/image/image.h"

// Where the bytes come from: exactly `len` of them, or false at the end and on failure.
struct snapshot_source {
    bool (*read)(void *context, uint8_t *to, size_t len);
    void *context;
};

struct snapshot_file_options {
    struct snapshot_identity identity; // whose file alone is taken
    const struct clock *clock;
    struct reclaim *reclaim;        // the new image's
    const atomic_bool *is_stopping; // ends it with CANCELLED
    struct snapshot_progress *progress;
    uint64_t round; // of the positions that it publishes
};

struct snapshot_found {
    struct snapshot_header header; // with the key of the new image, which stands at the header's positions
    struct snapshot_positions end;
};

// INVALID: it can't be used, and `*ret_why` is the sentence for that; else CANCELLED and NO_MEMORY.
MUST_CHECK enum status snapshot_file_read(const struct snapshot_source *source,
                                          const struct snapshot_file_options *options,
                                          struct snapshot_found *ret_found, struct image **ret_image,
                                          const char **ret_why);

// The same of the file at `path`. NOT_FOUND: there is none. INVALID also where it is no plain file, another
// user's, or such that others may read or write it.
MUST_CHECK enum status snapshot_file_load(const char *path, const struct snapshot_file_options *options,
                                          struct snapshot_found *ret_found, struct image **ret_image,
                                          const char **ret_why);

#endif
