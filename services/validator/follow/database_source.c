// The database as what is followed: rows are read again as they are now, and the lease is a row.
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/log.h"
#include "services/validator/follow/change_round.h"
#include "services/validator/follow/follower_internal.h"
#include "services/validator/follow/loss_store.h"
#include "services/validator/follow/snapshot.h"

static struct follower_session get_session(const struct follower *follower) {
    return (struct follower_session){follower->connection, follower->options.clock};
}

static enum status connect(struct follower *follower) {
    if (follower->connection)
        return STATUS_OK;
    struct db_connect_failure failure;
    enum status status =
        db_connection_open(follower->options.database, DB_NO_DEADLINE, &follower->connection, &failure);
    if (status != STATUS_OK) {
        follower->connection = NULL;
        follower_status_set_trouble(&follower->status, "%s", failure.sentence);
        if (failure.kind == DB_CONNECT_READ_ONLY)
            backoff_expect(&follower->backoff);
    }
    follower->is_timeline_settled = false;
    snapshot_keeper_forget_identity(&follower->keeper);
    return status;
}

// The next attempt is made on another connection: whatever was wrong with this one, nobody has to know.
// why not so at the end: the lease is to be given back.
static void drop_connection(struct follower *follower) {
    if (follower->connection && hint_is_stopping(&follower->hint))
        return;
    db_connection_close(follower->connection);
    follower->connection = NULL;
}

// --- asking the database ---

// All that has been applied here, or in the life before, as far as its file may have it.
static struct positions get_history(const struct follower *follower) {
    const struct snapshot_positions *remembered = &follower->remembered;
    struct positions history = {0};
    if (follower->image)
        history = *lanes_get_positions(image_get_lanes(follower->image));
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        if (follower->image && history.seqs[lane] >= remembered->seqs[lane])
            continue;
        history.seqs[lane] = remembered->seqs[lane];
        history.marks[lane] = remembered->marks[lane];
    }
    return history;
}

static bool has_history(const struct positions *history) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (history->seqs[lane] > 0)
            return true;
    return false;
}

static enum status renew(struct follower *follower, const struct positions *history,
                         struct renewal *ret_renewal) {
    struct follower_told told;
    follower_begin_round(follower, told.seqs);
    feed_name_lagging(follower->options.feed, follower_boottime_ns(follower), follower_get_applied(follower),
                      told.lagging);
    return follower_store_renew(get_session(follower), &follower->registration, history->seqs, &told,
                                ret_renewal);
}

// Our own memory is of another history.
static void lose_history(struct follower *follower, const struct renewal *renewal,
                         const struct positions *positions, unsigned lane, struct turn *turn) {
    lease_lose_history(&follower->validator->lease);
    turn->event = LOST;
    follower_status_set_trouble(&follower->status,
                                "the database lacks changes that were applied here (lane %u: change %" PRId64
                                ", the database has %" PRId64 " and others); run `latchkey recover`",
                                lane, positions->seqs[lane], renewal->heads[lane]);
}

// --- loading ---

static struct snapshot_options get_snapshot_options(struct follower *follower,
                                                    struct snapshot_progress *progress) {
    size_t connections = follower->options.load_connections;
    return (struct snapshot_options){.connection = follower->connection,
                                     .database = follower->options.database,
                                     .more_connections = connections > 0 ? connections - 1 : 0,
                                     .clock = follower->options.clock,
                                     .lanes = follower->options.lanes,
                                     .reclaim = &follower->reclaim,
                                     .key = follower->key,
                                     .is_stopping = &follower->hint.is_stopping,
                                     .progress = progress,
                                     .round = follower->round + 1};
}

// NOT_FOUND: there is none, or it is of no use. A file that is only behind is of use: the marks of what it
// remembers are looked for by the first renewal.
static enum status load_file(struct follower *follower, struct turn *turn) {
    uint64_t started_ns = follower_now_ns(follower);
    const struct snapshot_options options = get_snapshot_options(follower, &follower->status.progress);
    struct snapshot_found found;
    struct image *image;
    enum status status = snapshot_keeper_load(&follower->keeper, &options, &found, &image);
    if (status != STATUS_OK)
        return status;
    follower->key = found.header.key;
    follower_take_image(follower, image, "file", started_ns, turn);
    follower->remembered = found.end;
    return STATUS_OK;
}

static enum status load_rows(struct follower *follower, struct turn *turn) {
    uint64_t started_ns = follower_now_ns(follower);
    const struct snapshot_options options = get_snapshot_options(follower, &follower->status.progress);
    struct image *image;
    follower_status_begin_load(&follower->status);
    enum status status = snapshot_load(&options, &image);
    if (status == STATUS_NO_MEMORY)
        follower_make_room(follower);
    if (status == STATUS_OK)
        follower_take_image(follower, image, "database", started_ns, turn);
    return status;
}

// Whether what the rows will take the place of is of the database's history: it may be another database than
// the one that was followed, and nobody else may know what it lacks.
static enum status judge_memory(struct follower *follower, struct turn *turn, bool *ret_is_found) {
    struct renewal renewal;
    const struct positions history = get_history(follower);
    if (!has_history(&history))
        return STATUS_OK;
    enum status status = renew(follower, &history, &renewal);
    if (status != STATUS_OK)
        return status;
    unsigned lane;
    enum renewal_verdict verdict = renewal_judge(&renewal, &history, &lane);
    *ret_is_found = verdict != RENEWAL_LOG_TOO_HIGH;
    if (verdict != RENEWAL_HISTORY_LOST)
        return STATUS_OK;
    lose_history(follower, &renewal, &history, lane, turn);
    turn->is_followed_at_once = true;
    return STATUS_OK;
}

// Without memory there is no telling whether this is the history that callers know: somebody has to say so.
static enum status run_loading(struct follower *follower, struct turn *turn) {
    int64_t timeline = 0;
    bool is_accepted = false;
    enum status status = load_file(follower, turn);
    if (status != STATUS_NOT_FOUND)
        return status;
    status = judge_memory(follower, turn, &is_accepted);
    if (status == STATUS_OK && turn->event == NOTHING && !is_accepted)
        status = follower_store_is_timeline_accepted(get_session(follower), follower->options.lanes,
                                                     &timeline, &is_accepted);
    if (status != STATUS_OK || turn->event == LOST)
        return status;
    if (is_accepted)
        return load_rows(follower, turn);
    follower_status_set_trouble(&follower->status,
                                "nobody has accepted the database's timeline %" PRId64
                                ", so it may lack changes; run `latchkey recover`",
                                timeline);
    return STATUS_OK;
}

// --- registering ---

static enum status run_registering(struct follower *follower, struct turn *turn) {
    int64_t told[LANE_COUNT];
    follower_get_told(follower, told);
    enum status status = follower_store_register(get_session(follower), &follower->registration, told);
    if (status == STATUS_OK)
        *turn = (struct turn){REGISTERED, true};
    return status;
}

// --- following: one round ---

// Its marks have been found: if the timeline is a new one, those who have no memory may start on it, too.
static enum status settle_timeline(struct follower *follower) {
    if (follower->is_timeline_settled)
        return STATUS_OK;
    bool is_new = false;
    enum status status =
        follower_store_accept_timeline(get_session(follower), &follower->registration, &is_new);
    if (status == STATUS_OK)
        status = snapshot_keeper_learn_identity(&follower->keeper, get_session(follower));
    if (status != STATUS_OK)
        return status;
    follower->is_timeline_settled = true;
    if (is_new)
        log_event(LOG_LEVEL_WARNING, "a new timeline of the database has our history: accepted");
    return STATUS_OK;
}

static enum status apply_changes(struct follower *follower, const struct renewal *renewal) {
    uint64_t count = 0;
    enum status status = change_round_apply(get_session(follower), &follower->applier, renewal, &count);
    atomic_fetch_add_explicit(&follower->status.changes, count, memory_order_relaxed);
    return status;
}

// What only a new load makes good: it is sooner done, only a new image has room, or the log lacks rows, which
// were deleted by hand, or pruned while this process stood still.
//
// why not without memory as well: that would take another whole image. What was applied of the changes is
// right whether or not the rest follows; they are applied again as soon as there is memory, and if there is
// none until the lease has run out, nobody is served.
static bool needs_load(enum status status) {
    return status == STATUS_TOO_LARGE || status == STATUS_NOT_FOUND;
}

// Follows what a renewal told of, which belongs to our history.
static enum status follow(struct follower *follower, const struct renewal *renewal, bool is_behind,
                          struct turn *turn) {
    bool is_clock_right = follower_note_clock(follower, renewal);
    enum status status = settle_timeline(follower);
    if (status == STATUS_OK && is_behind)
        status = apply_changes(follower, renewal);
    if (status == STATUS_NOT_FOUND)
        log_event(LOG_LEVEL_WARNING, "the change log lacks changes: everything is loaded again");
    if (needs_load(status)) {
        *turn = (struct turn){LOAD_AGAIN, true};
        return STATUS_OK;
    }
    turn->is_followed_at_once = status == STATUS_OK && is_behind;
    return follower_end_round(follower, status, renewal, is_clock_right);
}

// --- a lost history ---

// What is missing is missing in lanes whose history is another: in the rest the database is only ahead.
static struct image_compare_options get_compare_options(const struct follower *follower,
                                                        const struct renewal *renewal,
                                                        const struct positions *positions) {
    struct image_compare_options options = {
        .now_ms = validator_get_time_ms(follower->validator, follower_boottime_ns(follower))};
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        options.lanes[lane] = !renewal_has_position(renewal, positions, lane);
    return options;
}

static enum status report_loss(struct follower *follower, const struct renewal *renewal,
                               const struct positions *positions, struct turn *turn) {
    struct snapshot_progress progress = {0}; // of nobody's interest
    struct snapshot_options options = get_snapshot_options(follower, &progress);
    const struct loss_witness witness = {follower->options.name, follower->image, positions,
                                         get_compare_options(follower, renewal, positions)};
    bool is_settled = false;
    enum status status = loss_report_advance(&follower->loss_report, &options, &witness, &is_settled);
    if (status != STATUS_OK || !is_settled)
        return status;
    log_event(LOG_LEVEL_WARNING, "the loss of changes is settled: everything is loaded again");
    snapshot_keeper_discard(&follower->keeper);
    lease_recover_history(&follower->validator->lease);
    follower_make_room(follower);
    follower->remembered = (struct snapshot_positions){0}; // is given up, and not judged again
    *turn = (struct turn){LOAD_AGAIN, true};
    return STATUS_OK;
}

// Our own memory is of this history, but another validator had applied what is not there any more.
static enum status await_recovery(struct follower *follower, struct turn *turn) {
    lease_lose_history(&follower->validator->lease);
    turn->event = LOST;
    follower_status_set_trouble(&follower->status,
                                "a validator has reported that the database lacks changes; "
                                "run `latchkey recover`");
    if (!loss_report_is_open(&follower->loss_report))
        return STATUS_OK;
    turn->is_followed_at_once = true;
    return loss_report_withdraw(&follower->loss_report, get_session(follower));
}

// --- judging a round ---

// What the answer to a renewal leads to in the present state.
static enum status judge(struct follower *follower, const struct renewal *renewal,
                         const struct positions *history, struct turn *turn) {
    unsigned lane;
    enum renewal_verdict verdict = renewal_judge(renewal, history, &lane);
    // Once lost, only marks that are found again tell that it is ours; that they are not in the log any more
    // tells nothing.
    bool was_lost = follower->state == HISTORY_LOST;
    if (verdict == RENEWAL_HISTORY_LOST || (was_lost && verdict == RENEWAL_LOG_TOO_HIGH)) {
        lose_history(follower, renewal, history, lane, turn);
        return report_loss(follower, renewal, history, turn);
    }
    if (renewal->is_loss_reported)
        return await_recovery(follower, turn);
    if (was_lost) {
        lease_recover_history(&follower->validator->lease);
        *turn = (struct turn){follower->image ? FOUND : LOAD_AGAIN, true};
        return STATUS_OK;
    }
    if (!renewal->is_registered) {
        lease_withdraw(&follower->validator->lease);
        *turn = (struct turn){ROW_GONE, true};
        return STATUS_OK;
    }
    if (verdict == RENEWAL_LOG_TOO_HIGH) {
        *turn = (struct turn){LOAD_AGAIN, true};
        return STATUS_OK;
    }
    const struct positions *applied = lanes_get_positions(image_get_lanes(follower->image));
    return follow(follower, renewal, !renewal_is_reached(renewal, applied), turn);
}

static enum status run_round(struct follower *follower, struct turn *turn) {
    uint64_t started_ns = follower_now_ns(follower);
    struct renewal renewal;
    const struct positions history = get_history(follower);
    enum status status = renew(follower, &history, &renewal);
    if (status != STATUS_OK)
        return status;
    atomic_fetch_add_explicit(&follower->status.rounds, 1, memory_order_relaxed);
    status = judge(follower, &renewal, &history, turn);
    histogram_add_ns(&follower->status.round_duration, follower_now_ns(follower) - started_ns);
    return status;
}

// --- for one that is fed ---

static enum status tell_loss(struct follower *follower, const struct loss_message *message,
                             struct loss_standing *ret_standing) {
    if (!follower->connection || db_connection_is_broken(follower->connection))
        return STATUS_UNAVAILABLE;
    return loss_store_tell(get_session(follower), message, ret_standing);
}

// --- its end ---

static void give_back_lease(struct follower *follower) {
    if (feed_is_holding(follower->options.feed, follower_boottime_ns(follower))) {
        log_event(LOG_LEVEL_INFO, "the lease runs out by itself: validators that were fed may still serve");
        return;
    }
    if (follower->connection && !db_connection_is_broken(follower->connection) &&
        follower_store_deregister(get_session(follower), follower->registration.instance) != STATUS_OK)
        log_event(LOG_LEVEL_WARNING, "the lease could not be given back; it runs out by itself");
}

const struct follower_source follower_database = {
    .name = "the database",
    .connect = connect,
    .disconnect = drop_connection,
    .run = {[LOADING] = run_loading,
            [REGISTERING] = run_registering,
            [FOLLOWING] = run_round,
            [HISTORY_LOST] = run_round},
    .tell_loss = tell_loss,
    .leave = give_back_lease,
};
