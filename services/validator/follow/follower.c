// The states of a follower and its thread. Whatever fails is tried again in the same state, on a new
// connection and after a pause; so a state says what has been achieved, not whether the database is there.
//
//   LOADING --loaded--> REGISTERING --registered--> FOLLOWING --row gone--> REGISTERING
//      ^                                             |  |  ^
//      +------------------load again-----------------+  |  | history found, no loss reported
//      |                                          lost  v  |
//      +--------------loss settled---------------- HISTORY_LOST
//
// why it registers after it has loaded: whoever waits for the validators waits for every one that is
// registered, and one that is loading can't serve anyway. Only a renewal sent after the registration lets it.
#include "services/validator/follow/follower.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/random.h"
#include "common/db/backoff.h"
#include "services/validator/follow/applier.h"
#include "services/validator/follow/change_round.h"
#include "services/validator/follow/follower_status.h"
#include "services/validator/follow/follower_store.h"
#include "services/validator/follow/hint.h"
#include "services/validator/follow/loss_report.h"
#include "services/validator/follow/renewal.h"
#include "services/validator/follow/snapshot.h"
#include "services/validator/follow/snapshot_keeper.h"
#include "services/validator/image/quiescence.h"

#define MS_NS UINT64_C(1000000)
#define CHANNEL "latchkey_change"
#define TEXT_MAX 255 // as the table of validators allows

enum follower_state { STATE_NONE, LOADING, REGISTERING, FOLLOWING, HISTORY_LOST, STATE_COUNT };
enum follower_event { NOTHING, LOADED, REGISTERED, ROW_GONE, LOAD_AGAIN, LOST, FOUND, EVENT_COUNT };

static const enum follower_state transitions[STATE_COUNT][EVENT_COUNT] = {
    [LOADING] = {[LOADED] = REGISTERING},
    [REGISTERING] = {[REGISTERED] = FOLLOWING},
    [FOLLOWING] = {[ROW_GONE] = REGISTERING, [LOAD_AGAIN] = LOADING, [LOST] = HISTORY_LOST},
    [HISTORY_LOST] = {[LOST] = HISTORY_LOST, [FOUND] = FOLLOWING, [LOAD_AGAIN] = LOADING},
};

struct follower {
    struct follower_options options;
    struct validator *validator;
    struct follower_registration registration;
    struct follower_status status;
    struct hint hint;
    struct errands errands;
    pthread_t thread;

    // The thread's.
    enum follower_state state;
    struct db_connection *connection; // NULL = none now
    bool is_timeline_settled;         // on this connection: ours is accepted
    struct backoff backoff;
    struct loss_report loss_report; // of what the database lacks
    struct image *image;            // what is published
    struct fingerprint_key key;     // of all its images
    struct reclaim reclaim;
    struct applier applier;
    struct snapshot_keeper keeper;
    uint64_t round; // number of the last one that was published
    enum lease_state seen_state;
};

// What a turn in a state came to.
struct turn {
    enum follower_event event;
    bool is_followed_at_once; // by the next turn
};

static uint64_t now_ns(const struct follower *follower) {
    return clock_get_monotonic_ns(follower->options.clock);
}

static struct follower_session get_session(const struct follower *follower) {
    return (struct follower_session){follower->connection, follower->options.clock};
}

// --- loading ---

static void release_image(void *owner, void *image) {
    (void)owner;
    image_free(image);
}

// Readers have either the old image, which is freed when they have let go of it, or this one.
static void publish_image(struct follower *follower, struct image *image) {
    struct image *old = follower->image;
    snapshot_keeper_forget_image(&follower->keeper);
    follower->image = image;
    atomic_store_explicit(&follower->validator->image, image, memory_order_release);
    // why first: what the old image has replaced is released into it, and without memory reclaim_add() frees
    // at once.
    reclaim_run(&follower->reclaim);
    reclaim_add(&follower->reclaim, release_image, NULL, old);
    reclaim_run(&follower->reclaim);
    row_reader_fini(&follower->applier.reader);
    row_reader_init(&follower->applier.reader, image, &follower->reclaim, &follower->hint.is_stopping);
    follower->applier.is_half_applied = false;
    follower_status_note_image(&follower->status, image);
}

// An image that nobody may be answered from any more takes only the room of the next one.
static void make_room(struct follower *follower) {
    uint64_t now = clock_get_boottime_ns(follower->options.clock);
    if (!follower->image || lease_get_state(&follower->validator->lease, now) == LEASE_SERVING)
        return;
    snapshot_keeper_forget_image(&follower->keeper);
    atomic_store_explicit(&follower->validator->image, NULL, memory_order_release);
    reclaim_run(&follower->reclaim);
    reclaim_add(&follower->reclaim, release_image, NULL, follower->image);
    reclaim_run(&follower->reclaim);
    follower->image = NULL;
}

static void take_image(struct follower *follower, struct image *image, const char *from, uint64_t started_ns,
                       struct turn *turn) {
    follower->round++;
    publish_image(follower, image);
    uint64_t took_ns = now_ns(follower) - started_ns;
    atomic_store_explicit(&follower->status.load_ns, took_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&follower->status.loads, 1, memory_order_relaxed);
    log_event(LOG_LEVEL_INFO, "snapshot loaded", LOG_TEXT("from", from),
              LOG_INTEGER("tokens", image_get_statistics(image).tokens),
              LOG_INTEGER("milliseconds", took_ns / MS_NS));
    *turn = (struct turn){LOADED, true};
}

static struct snapshot_options get_snapshot_options(struct follower *follower,
                                                    struct snapshot_progress *progress) {
    return (struct snapshot_options){.connection = follower->connection,
                                     .clock = follower->options.clock,
                                     .reclaim = &follower->reclaim,
                                     .key = follower->key,
                                     .is_stopping = &follower->hint.is_stopping,
                                     .progress = progress,
                                     .round = follower->round + 1};
}

// NOT_FOUND: there is none, or it is of no use. A file that is only behind is of use: the marks of its
// positions are looked for by the first renewal.
static enum status load_file(struct follower *follower, struct turn *turn) {
    uint64_t started_ns = now_ns(follower);
    const struct snapshot_options options = get_snapshot_options(follower, &follower->status.progress);
    struct image *image;
    enum status status = snapshot_keeper_load(&follower->keeper, &options, &follower->key, &image);
    if (status == STATUS_OK)
        take_image(follower, image, "file", started_ns, turn);
    return status;
}

static enum status load_rows(struct follower *follower, struct turn *turn) {
    uint64_t started_ns = now_ns(follower);
    const struct snapshot_options options = get_snapshot_options(follower, &follower->status.progress);
    struct image *image;
    follower_status_begin_load(&follower->status);
    enum status status = snapshot_load(&options, &image);
    if (status == STATUS_NO_MEMORY)
        make_room(follower);
    if (status == STATUS_OK)
        take_image(follower, image, "database", started_ns, turn);
    return status;
}

// Without memory there is no telling whether this is the history that callers know: somebody has to say so.
static enum status run_loading(struct follower *follower, struct turn *turn) {
    int64_t timeline = 0;
    bool is_accepted = false;
    enum status status = load_file(follower, turn);
    if (status != STATUS_NOT_FOUND)
        return status;
    status = follower_store_is_timeline_accepted(get_session(follower), &timeline, &is_accepted);
    if (status != STATUS_OK)
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
    const struct positions *positions = lanes_get_positions(image_get_lanes(follower->image));
    enum status status =
        follower_store_register(get_session(follower), &follower->registration, positions->seqs);
    if (status == STATUS_OK)
        *turn = (struct turn){REGISTERED, true};
    return status;
}

// --- following: one round ---

// False: the clocks are too far apart to compare times, so nobody is served.
static bool note_clock(struct follower *follower, const struct renewal *renewal) {
    int64_t correction_ms = renewal_get_clock_correction_ms(renewal);
    int64_t max_ms = follower->options.max_clock_skew_ms;
    atomic_store_explicit(&follower->validator->clock_correction_ms, correction_ms, memory_order_relaxed);
    atomic_store_explicit(&follower->validator->boottime_to_utc_ms, renewal_get_boottime_to_utc_ms(renewal),
                          memory_order_relaxed);
    if (correction_ms <= max_ms && correction_ms >= -max_ms)
        return true;
    lease_withdraw(&follower->validator->lease);
    follower_status_set_trouble(
        &follower->status, "the database's clock is %" PRId64 " ms %s this machine's; let both follow NTP",
        correction_ms < 0 ? -correction_ms : correction_ms, correction_ms < 0 ? "behind" : "ahead of");
    return false;
}

// Its marks have been found: if the timeline is a new one, those who have no memory may start on it, too.
static enum status settle_timeline(struct follower *follower) {
    if (follower->is_timeline_settled)
        return STATUS_OK;
    bool is_new = false;
    enum status status =
        follower_store_accept_timeline(get_session(follower), follower->options.name, &is_new);
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

static enum status publish_round(struct follower *follower, const struct renewal *renewal) {
    enum status status = lanes_publish(image_get_own_lanes(follower->image), follower->round + 1,
                                       renewal->heads, &follower->reclaim);
    if (status == STATUS_OK)
        follower->round++;
    reclaim_run(&follower->reclaim);
    follower_status_note_image(&follower->status, follower->image);
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
    bool is_clock_right = note_clock(follower, renewal);
    enum status status = settle_timeline(follower);
    if (status == STATUS_OK && is_behind)
        status = apply_changes(follower, renewal);
    if (status == STATUS_NOT_FOUND)
        log_event(LOG_LEVEL_WARNING, "the change log lacks changes: everything is loaded again");
    if (needs_load(status)) {
        *turn = (struct turn){LOAD_AGAIN, true};
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = publish_round(follower, renewal);
    if (status != STATUS_OK)
        return status;
    turn->is_followed_at_once = is_behind;
    if (!is_clock_right ||
        !renewal_is_reached(renewal, lanes_get_positions(image_get_lanes(follower->image))))
        return STATUS_OK;
    lease_grant(&follower->validator->lease, renewal->sent_boottime_ns);
    follower_status_clear_trouble(&follower->status);
    return STATUS_OK;
}

// --- a lost history ---

static enum status report_loss(struct follower *follower, struct turn *turn) {
    struct snapshot_progress progress = {0}; // of nobody's interest
    struct snapshot_options options = get_snapshot_options(follower, &progress);
    uint64_t now = clock_get_boottime_ns(follower->options.clock);
    const struct loss_witness witness = {follower->options.name, follower->image,
                                         validator_get_time_ms(follower->validator, now)};
    bool is_settled = false;
    enum status status = loss_report_advance(&follower->loss_report, &options, &witness, &is_settled);
    if (status != STATUS_OK || !is_settled)
        return status;
    log_event(LOG_LEVEL_WARNING, "the loss of changes is settled: everything is loaded again");
    lease_recover_history(&follower->validator->lease);
    *turn = (struct turn){LOAD_AGAIN, true};
    return STATUS_OK;
}

// Our own memory is of another history.
static enum status lose_history(struct follower *follower, const struct renewal *renewal,
                                const struct positions *positions, unsigned lane, struct turn *turn) {
    lease_lose_history(&follower->validator->lease);
    turn->event = LOST;
    follower_status_set_trouble(&follower->status,
                                "the database lacks changes that were applied here (lane %u: change %" PRId64
                                ", the database has %" PRId64 " and others); run `latchkey recover`",
                                lane, positions->seqs[lane], renewal->heads[lane]);
    return report_loss(follower, turn);
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
static enum status judge(struct follower *follower, const struct renewal *renewal, struct turn *turn) {
    const struct positions *positions = lanes_get_positions(image_get_lanes(follower->image));
    unsigned lane;
    enum renewal_verdict verdict = renewal_judge(renewal, positions, &lane);
    // Once lost, only marks that are found again tell that it is ours; that they are not in the log any more
    // tells nothing.
    bool was_lost = follower->state == HISTORY_LOST;
    if (verdict == RENEWAL_HISTORY_LOST || (was_lost && verdict == RENEWAL_LOG_TOO_HIGH))
        return lose_history(follower, renewal, positions, lane, turn);
    if (renewal->is_loss_reported)
        return await_recovery(follower, turn);
    if (was_lost) {
        lease_recover_history(&follower->validator->lease);
        *turn = (struct turn){FOUND, true};
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
    return follow(follower, renewal, verdict == RENEWAL_BEHIND, turn);
}

static enum status run_round(struct follower *follower, struct turn *turn) {
    uint64_t started_ns = now_ns(follower);
    struct renewal renewal;
    enum status status =
        follower_store_renew(get_session(follower), follower->registration.instance,
                             lanes_get_positions(image_get_lanes(follower->image))->seqs, &renewal);
    if (status != STATUS_OK)
        return status;
    atomic_fetch_add_explicit(&follower->status.rounds, 1, memory_order_relaxed);
    status = judge(follower, &renewal, turn);
    histogram_add_ns(&follower->status.round_duration, now_ns(follower) - started_ns);
    return status;
}

// --- the thread ---

static enum status (*const run_state[STATE_COUNT])(struct follower *follower, struct turn *turn) = {
    [LOADING] = run_loading,
    [REGISTERING] = run_registering,
    [FOLLOWING] = run_round,
    [HISTORY_LOST] = run_round,
};

static void move(struct follower *follower, enum follower_event event) {
    if (event == NOTHING)
        return;
    enum follower_state next = transitions[follower->state][event];
    assert(next != STATE_NONE);
    follower->state = next;
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
    }
    follower->is_timeline_settled = false;
    snapshot_keeper_forget_identity(&follower->keeper);
    return status;
}

// That a renewal may have been written is of no interest: it is not counted before it was answered.
static const char *get_reason(enum status status) {
    return status_get_text(status == STATUS_OUTCOME_UNKNOWN ? STATUS_UNAVAILABLE : status);
}

static enum status run_turn(struct follower *follower, struct turn *turn) {
    enum status status = connect(follower);
    if (status != STATUS_OK)
        return status;
    status = run_state[follower->state](follower, turn);
    if (status != STATUS_OK && !hint_is_stopping(&follower->hint))
        follower_status_set_trouble(&follower->status, "the database can't be followed: %s",
                                    get_reason(status));
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

// Leases run out by themselves: what is told is what is seen at each turn.
static void tell(struct follower *follower) {
    enum lease_state state =
        lease_get_state(&follower->validator->lease, clock_get_boottime_ns(follower->options.clock));
    if (state != follower->seen_state)
        log_event(state == LEASE_SERVING ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "the validator's state",
                  LOG_TEXT("state", lease_state_get_name(state)));
    follower->seen_state = state;
    if (follower->options.on_round)
        follower->options.on_round(follower->options.context);
}

static uint64_t get_wait_ms(const struct follower *follower, uint64_t started_ns) {
    uint64_t poll_ns = (uint64_t)follower->options.poll_ms * MS_NS;
    uint64_t spent_ns = now_ns(follower) - started_ns;
    return spent_ns < poll_ns ? (poll_ns - spent_ns + MS_NS - 1) / MS_NS : 0;
}

// They may have waited for longer than the lease.
static void run_errands(struct follower *follower) {
    const struct validator *validator = follower->validator;
    uint64_t now = clock_get_boottime_ns(follower->options.clock);
    bool is_current = lease_get_state(&validator->lease, now) == LEASE_SERVING;
    errands_run(&follower->errands, is_current ? follower->image : NULL,
                validator_get_time_ms(validator, now));
}

static bool is_current(const struct follower *follower) {
    uint64_t now = clock_get_boottime_ns(follower->options.clock);
    return follower->state == FOLLOWING && lease_get_state(&follower->validator->lease, now) == LEASE_SERVING;
}

// Until the next round. The snapshot file is written meanwhile.
static void rest(struct follower *follower, uint64_t started_ns) {
    bool is_hinted;
    do {
        uint64_t wait_ms = get_wait_ms(follower, started_ns);
        if (is_current(follower) && snapshot_keeper_run(&follower->keeper, follower->image))
            wait_ms = SNAPSHOT_KEEPER_PAUSE_MS;
        is_hinted = hint_wait(&follower->hint, wait_ms);
    } while (!is_hinted && get_wait_ms(follower, started_ns) > 0);
}

static void run_once(struct follower *follower) {
    struct turn turn = {NOTHING, false};
    uint64_t started_ns = now_ns(follower);
    run_errands(follower);
    enum status status = run_turn(follower, &turn);
    move(follower, turn.event);
    tell(follower);
    if (status != STATUS_OK) {
        atomic_fetch_add_explicit(&follower->status.failures, 1, memory_order_relaxed);
        drop_connection(follower);
        hint_pause(&follower->hint, backoff_next_ms(&follower->backoff, random_get_u64()));
        return;
    }
    backoff_reset(&follower->backoff);
    if (!turn.is_followed_at_once)
        rest(follower, started_ns);
}

static void give_back_lease(struct follower *follower) {
    lease_withdraw(&follower->validator->lease);
    if (follower->connection && !db_connection_is_broken(follower->connection) &&
        follower_store_deregister(get_session(follower), follower->registration.instance) != STATUS_OK)
        log_event(LOG_LEVEL_WARNING, "the lease could not be given back; it runs out by itself");
}

static void *run(void *context) {
    struct follower *follower = context;
    while (!hint_is_stopping(&follower->hint))
        run_once(follower);
    give_back_lease(follower);
    if (follower->state == FOLLOWING)
        snapshot_keeper_finish(&follower->keeper, follower->image);
    return NULL;
}

// --- public ---

// A lease is to be renewed well before it runs out, however seldom a poll is asked for.
static int64_t get_poll_ms(const struct follower_options *options) {
    int64_t third = options->max_staleness_ms / 3;
    return options->poll_ms < third ? options->poll_ms : third;
}

static enum status start(struct follower *follower) {
    enum status status = hint_init(&follower->hint, follower->options.database, CHANNEL);
    if (status != STATUS_OK)
        return status;
    if (pthread_create(&follower->thread, NULL, run, follower) == 0)
        return STATUS_OK;
    hint_stop(&follower->hint);
    hint_fini(&follower->hint);
    return STATUS_EXHAUSTED;
}

static void free_parts(struct follower *follower) {
    atomic_store_explicit(&follower->validator->image, NULL, memory_order_release);
    snapshot_keeper_fini(&follower->keeper);
    reclaim_fini(&follower->reclaim);
    image_free(follower->image);
    row_reader_fini(&follower->applier.reader);
    db_connection_close(follower->connection);
    follower_status_fini(&follower->status);
    errands_fini(&follower->errands);
    free(follower);
}

enum status follower_new(const struct follower_options *options, struct validator *validator,
                         struct follower **ret_follower) {
    if (strlen(options->name) > TEXT_MAX || strlen(options->address) > TEXT_MAX)
        return STATUS_TOO_LARGE;
    struct follower *follower = calloc(1, sizeof(*follower));
    if (!follower)
        return STATUS_NO_MEMORY;
    follower->options = *options;
    follower->options.poll_ms = get_poll_ms(options);
    follower->validator = validator;
    follower->key = fingerprint_key_new();
    follower->state = LOADING;
    follower->registration = (struct follower_registration){.instance = uuid_new(options->clock),
                                                            .name = options->name,
                                                            .address = options->address,
                                                            .lease_ms = options->max_staleness_ms};
    lease_init(&validator->lease, (uint64_t)options->max_staleness_ms * MS_NS);
    follower_status_init(&follower->status, validator, options->clock);
    errands_init(&follower->errands);
    const struct snapshot_keeper_options keeper = {options->snapshot_path, options->snapshot_period_ms,
                                                   options->clock};
    snapshot_keeper_init(&follower->keeper, &keeper);
    enum status status = start(follower);
    if (status != STATUS_OK) {
        free_parts(follower);
        return status;
    }
    *ret_follower = follower;
    return STATUS_OK;
}

void follower_free(struct follower *follower) {
    if (!follower)
        return;
    hint_stop(&follower->hint);
    pthread_join(follower->thread, NULL);
    hint_fini(&follower->hint);
    free_parts(follower);
}

void follower_wake(struct follower *follower) {
    hint_give(&follower->hint);
}

void follower_send_errand(struct follower *follower, struct errand *errand) {
    errands_add(&follower->errands, errand);
    hint_give(&follower->hint);
}

void follower_write_unready(struct follower *follower, struct buffer *to) {
    follower_status_write_unready(&follower->status, to);
}

void follower_write_metrics(struct metrics_writer *writer, void *context) {
    struct follower *follower = context;
    follower_status_write_metrics(writer, &follower->status);
    snapshot_keeper_write_metrics(&follower->keeper, writer);
}
