// The one writer of a validator: a thread that loads a consistent snapshot, follows the change log lane by
// lane, and keeps the lease. Connections that fail are opened again with growing pauses; what can't be
// followed any more (the log begins above our position) is loaded anew, and a history that is not the
// database's stops everything (lease.h, HISTORY_LOST) until it is ours again.
//
// One round: send a renewal; judge the answer (renewal.h); read the changes that it tells of, the rows as
// they are now, and apply them; publish the positions; grant the lease, counted from before the renewal was
// sent. A round that applied something is followed at once by another, which tells the database our new
// positions: that is what confirms a revocation. Rounds are begun by the poll, by NOTIFY and by
// follower_wake().
//
// Rounds are numbered (lanes.h). Who has seen the positions of round n may take the heads of round n + 2 for
// read after that: round n + 1 may have been under way. So there are no gaps: one that publishes nothing has
// no number.
//
// The lease's row is made after the load and before the first round: a validator that can't serve yet keeps
// nobody waiting who waits for the validators. A round that finds no row makes a new one, and only the next
// renewal lets it serve again; what it has in memory stays good.
//
// Whoever finds its history lost reports in the database what its memory says otherwise (loss_report.h). As
// long as such a report is open, nobody serves, not those either who find all their own marks; once it is
// settled, who made it forgets what it knew and loads again.
//
// Without memory it loads only on a timeline of the database that somebody has accepted. With memory it
// accepts one itself when it finds the marks of all its positions there.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_FOLLOWER_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_FOLLOWER_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "services/validator/feed/feed.h"
#include "services/validator/follow/errand.h"
#include "services/validator/follow/loss_message.h"
#include "services/validator/follow/upstream_rpc.h"
#include "services/validator/image/validator.h"

struct follower;

struct follower_options {
    const struct db_connection_options *database; // the direct one: COPY, LISTEN and a session of our own
    const struct clock *clock;
    const char *name;    // of this validator in the list of validators
    const char *address; // where it listens, for people; "" = not told

    struct upstream *upstream; // borrows: what is followed in place of the database; NULL = the database

    struct feed *feed; // borrows: who is fed with what is followed here; NULL = nobody

    struct lane_set lanes; // what is served, and nothing else is held in memory

    int64_t poll_ms;           // 10..60 000: a round at least so often, and three in a lease
    int64_t max_staleness_ms;  // 100..3 600 000: the lease
    int64_t max_clock_skew_ms; // 1..: a database's clock farther away than that withdraws the lease

    const char *snapshot_path;  // a file to start from, and to keep for the next start; NULL or "" = none
    int64_t snapshot_period_ms; // how often it is written

    size_t load_connections; // over which everything is loaded at once, the follower's own among them; 0 = 1

    // On the follower's thread, after each publication of positions and after each change of the lease's
    // state that it makes or sees (a lease runs out by itself): must not block. NULL = nobody wants to know.
    void (*on_round)(void *context);
    void *context;
};

// `validator` is zeroed; it is the follower's to fill and everybody's to read. Starts the threads (this one,
// and one that listens). All that the options point to is borrowed for the follower's life. TOO_LARGE: name
// or address above 255 bytes.
MUST_CHECK enum status follower_new(const struct follower_options *options, struct validator *validator,
                                    struct follower **ret_follower);

// After the last decision was answered: gives the lease back, ends the threads, frees the image. Readers have
// left. May block for as long as an attempt to connect or a renewal takes. Takes NULL.
void follower_free(struct follower *follower);

// Any thread, never blocks: begins a round now, for instance because somebody waits for a revision.
void follower_wake(struct follower *follower);

// Any thread, never blocks: `errand` is run soon, after the round that is under way; while the database is
// away within the pause between two attempts. Before follower_free().
void follower_send_errand(struct follower *follower, struct errand *errand);

// In an errand: tells the database of a loss that one who is fed knows of, or asks whether there is one, by
// way of what is followed. UNAVAILABLE: that can't be done now.
MUST_CHECK enum status follower_tell_loss(struct follower *follower, const struct loss_message *message,
                                          struct loss_standing *ret_standing);

// Any thread: one line for each reason why it can't decide, such as "validator: loading (64 %)"; nothing
// while it serves.
void follower_write_unready(struct follower *follower, struct buffer *to);

// A metrics_source with the follower as context.
void follower_write_metrics(struct metrics_writer *writer, void *follower);

#endif
