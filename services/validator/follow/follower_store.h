// What a follower says to the database apart from reading rows (row_reader.h): its lease, the history, the
// log. Every function is one round trip, in a transaction of its own where none is given.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_FOLLOWER_STORE_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_FOLLOWER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/transaction.h"
#include "services/validator/feed/feed_holds.h"
#include "services/validator/follow/change_set.h"
#include "services/validator/follow/renewal.h"
#include "services/validator/follow/snapshot_format.h"
#include "services/validator/image/lanes.h"

// A session of the follower's own; borrows everything.
struct follower_session {
    struct db_connection *connection;
    const struct clock *clock;
};

// The row of the lease.
struct follower_registration {
    struct uuid instance;
    const char *name, *address;
    int64_t lease_ms;
    struct lane_set lanes; // the row has no position in the others: nobody waits for it there
};

// Announces the validator, or once more after its row was taken away. Only a renewal that is sent after this
// has returned OK may let it serve.
MUST_CHECK enum status follower_store_register(struct follower_session session,
                                               const struct follower_registration *registration,
                                               const int64_t positions[LANE_COUNT]);

// What others are told by the row.
struct follower_told {
    int64_t seqs[LANE_COUNT];           // the lowest that anybody may still serve by who was fed here
    char lagging[FEED_LAGGING_MAX + 1]; // who that is
};

// The history is asked about at `positions`, and others are told at most that.
MUST_CHECK enum status follower_store_renew(struct follower_session session,
                                            const struct follower_registration *registration,
                                            const int64_t positions[LANE_COUNT],
                                            const struct follower_told *told, struct renewal *ret_renewal);
MUST_CHECK enum status follower_store_deregister(struct follower_session session, struct uuid instance);

// What a snapshot file belongs to.
MUST_CHECK enum status follower_store_read_identity(struct follower_session session,
                                                    struct snapshot_identity *ret_identity);

// Whether one without memory may start on the present timeline: for all lanes that it serves.
MUST_CHECK enum status follower_store_is_timeline_accepted(struct follower_session session,
                                                           struct lane_set lanes, int64_t *ret_timeline,
                                                           bool *ret_is_accepted);
// By one whose memory has been found in it, for the lanes that it serves: of the others it knows nothing.
// `*ret_is_new` false: somebody had accepted it for these before.
MUST_CHECK enum status follower_store_accept_timeline(struct follower_session session,
                                                      const struct follower_registration *registration,
                                                      bool *ret_is_new);

// Within a snapshot: notes in `lanes` what the log remembers of every lane that is served, up to its head.
MUST_CHECK enum status follower_store_read_lanes(struct db_transaction *transaction, struct lanes *lanes);

// About how many rows a snapshot of all lanes will have, and tokens among them; 0 = nobody has counted yet.
struct row_estimate {
    uint64_t all, tokens;
};
MUST_CHECK enum status follower_store_estimate_rows(struct db_transaction *transaction,
                                                    struct row_estimate *ret_estimate);

// Within a snapshot: the changes after the positions of the lanes that are served, at most LANES_ROUND_MAX of
// each lane. The result has them, too, for follower_store_note_changes(). NOT_FOUND: the log lacks one that
// lies between the positions and `heads`, which an earlier renewal told of. MALFORMED: one is none; INVALID:
// of a kind that this release does not know.
MUST_CHECK enum status follower_store_read_changes(struct db_transaction *transaction, struct arena *arena,
                                                   const struct lanes *lanes, const int64_t heads[LANE_COUNT],
                                                   struct change_set *set,
                                                   const struct db_result **ret_changes);

// Once they have been applied. Returns how many there were.
uint64_t follower_store_note_changes(const struct db_result *changes, struct lanes *lanes);

#endif
