// Everything that decisions in the served lanes rest on, as of one instant: all rows together with the heads
// of the lanes, read in one REPEATABLE READ transaction; the tokens, of which there are most, over several
// connections at once that share its snapshot.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "services/validator/follow/snapshot_progress.h"
#include "services/validator/image/image.h"

struct snapshot_options {
    struct db_connection *connection;
    const struct db_connection_options *database; // where `more_connections` come from
    size_t more_connections;                      // at most; 0..SNAPSHOT_READERS_MAX
    const struct clock *clock;
    struct lane_set lanes;          // that are served
    struct reclaim *reclaim;        // the new image's
    struct fingerprint_key key;     // the same
    const atomic_bool *is_stopping; // ends it with CANCELLED
    struct snapshot_progress *progress;
    uint64_t round; // of the positions that it publishes
};

// On failure there is no image, and the connection may be broken.
MUST_CHECK enum status snapshot_load(const struct snapshot_options *options, struct image **ret_image);

#endif
