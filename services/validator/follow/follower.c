// The states of a follower and its thread. Whatever fails is tried again in the same state, on a new
// connection and after a pause; so a state says what has been achieved, not whether the database is there.
//
//   LOADING --loaded--> REGISTERING --registered--> FOLLOWING --row gone--> REGISTERING
//      ^ |                                           |  |  ^
//      +-|----------------load again-----------------+  |  | history found, no loss reported
//      | |                                        lost  v  |
//      | +----------lost: memory of before------->  HISTORY_LOST
//      +--------------loss settled---------------------+
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
#include "services/validator/follow/follower_internal.h"
#include "services/validator/image/quiescence.h"

#define MS_NS UINT64_C(1000000)
#define CHANNEL "latchkey_change"
#define TEXT_MAX 255 // as the table of validators allows

static const enum follower_state transitions[STATE_COUNT][EVENT_COUNT] = {
    [LOADING] = {[LOADED] = REGISTERING, [LOST] = HISTORY_LOST},
    [REGISTERING] = {[REGISTERED] = FOLLOWING},
    [FOLLOWING] = {[ROW_GONE] = REGISTERING, [LOAD_AGAIN] = LOADING, [LOST] = HISTORY_LOST},
    [HISTORY_LOST] = {[LOST] = HISTORY_LOST, [FOUND] = FOLLOWING, [LOAD_AGAIN] = LOADING},
};

// --- images ---

static void release_image(void *owner, void *image) {
    (void)owner;
    image_free(image);
}

// Readers have either the old image, which is freed when they have let go of it, or this one.
static void publish_image(struct follower *follower, struct image *image) {
    struct image *old = follower->image;
    snapshot_keeper_forget_image(&follower->keeper);
    follower->image = image;
    feed_set_image(follower->options.feed, image);
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

void follower_make_room(struct follower *follower) {
    uint64_t now = follower_boottime_ns(follower);
    if (!follower->image || lease_get_state(&follower->validator->lease, now) == LEASE_SERVING)
        return;
    lanes_raise(image_get_lanes(follower->image), follower->remembered.seqs, follower->remembered.marks);
    feed_set_image(follower->options.feed, NULL);
    snapshot_keeper_forget_image(&follower->keeper);
    atomic_store_explicit(&follower->validator->image, NULL, memory_order_release);
    reclaim_run(&follower->reclaim);
    reclaim_add(&follower->reclaim, release_image, NULL, follower->image);
    reclaim_run(&follower->reclaim);
    follower->image = NULL;
}

void follower_take_image(struct follower *follower, struct image *image, const char *from,
                         uint64_t started_ns, struct turn *turn) {
    follower->round++;
    follower->remembered = (struct snapshot_positions){0};
    publish_image(follower, image);
    uint64_t took_ns = follower_now_ns(follower) - started_ns;
    atomic_store_explicit(&follower->status.load_ns, took_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&follower->status.loads, 1, memory_order_relaxed);
    log_event(LOG_LEVEL_INFO, "snapshot loaded", LOG_TEXT("from", from),
              LOG_INTEGER("tokens", image_get_statistics(image).tokens),
              LOG_INTEGER("milliseconds", took_ns / MS_NS));
    *turn = (struct turn){LOADED, true};
}

// --- rounds ---

const int64_t *follower_get_applied(const struct follower *follower) {
    return follower->image ? lanes_get_positions(image_get_lanes(follower->image))->seqs
                           : follower->remembered.seqs;
}

void follower_get_told(struct follower *follower, int64_t ret_told[LANE_COUNT]) {
    memcpy(ret_told, follower_get_applied(follower), sizeof(follower->remembered.seqs));
    feed_lower(follower->options.feed, follower_boottime_ns(follower), ret_told);
}

void follower_begin_round(struct follower *follower, int64_t ret_told[LANE_COUNT]) {
    feed_begin_round(follower->options.feed, follower_boottime_ns(follower));
    follower_get_told(follower, ret_told);
}

bool follower_note_clock(struct follower *follower, const struct renewal *renewal) {
    int64_t correction_ms = renewal_get_clock_correction_ms(renewal);
    int64_t max_ms = follower->options.max_clock_skew_ms;
    atomic_store_explicit(&follower->validator->clock_correction_ms, correction_ms, memory_order_relaxed);
    atomic_store_explicit(&follower->validator->boottime_to_utc_ms, renewal_get_boottime_to_utc_ms(renewal),
                          memory_order_relaxed);
    if (correction_ms <= max_ms && correction_ms >= -max_ms)
        return true;
    lease_withdraw(&follower->validator->lease);
    follower_status_set_trouble(&follower->status,
                                "%s's clock is %" PRId64 " ms %s this machine's; let both follow NTP",
                                follower->source->name, correction_ms < 0 ? -correction_ms : correction_ms,
                                correction_ms < 0 ? "behind" : "ahead of");
    return false;
}

static enum status publish_round(struct follower *follower, const struct renewal *renewal) {
    uint64_t round = follower->round + renewal->is_newest;
    enum status status =
        lanes_publish(image_get_own_lanes(follower->image), round, renewal->heads, &follower->reclaim);
    if (status == STATUS_OK)
        follower->round = round;
    reclaim_run(&follower->reclaim);
    follower_status_note_image(&follower->status, follower->image);
    return status;
}

enum status follower_end_round(struct follower *follower, enum status status, const struct renewal *renewal,
                               bool may_serve) {
    if (status == STATUS_OK)
        status = publish_round(follower, renewal);
    if (status != STATUS_OK) {
        feed_drop_run(follower->options.feed);
        return status;
    }
    feed_end_run(follower->options.feed);
    if (!may_serve || !renewal_is_reached(renewal, lanes_get_positions(image_get_lanes(follower->image))))
        return STATUS_OK;
    lease_grant(&follower->validator->lease, renewal->sent_boottime_ns, renewal->valid_ns);
    if (renewal->is_newest)
        feed_answer(follower->options.feed, follower_boottime_ns(follower));
    follower_status_clear_trouble(&follower->status);
    return STATUS_OK;
}

// --- the thread ---

static void move(struct follower *follower, enum follower_event event) {
    if (event == NOTHING)
        return;
    enum follower_state next = transitions[follower->state][event];
    assert(next != STATE_NONE);
    follower->state = next;
}

// That a renewal may have been written is of no interest: it is not counted before it was answered.
static const char *get_reason(enum status status) {
    return status_get_text(status == STATUS_OUTCOME_UNKNOWN ? STATUS_UNAVAILABLE : status);
}

static enum status run_turn(struct follower *follower, struct turn *turn) {
    enum status status = follower->source->connect(follower);
    if (status != STATUS_OK)
        return status;
    follower->failure[0] = '\0';
    status = follower->source->run[follower->state](follower, turn);
    if (status != STATUS_OK && !hint_is_stopping(&follower->hint))
        follower_status_set_trouble(&follower->status, "%s can't be followed: %s", follower->source->name,
                                    follower->failure[0] ? follower->failure : get_reason(status));
    return status;
}

// Leases run out by themselves: what is told is what is seen at each turn.
static void tell(struct follower *follower) {
    enum lease_state state = lease_get_state(&follower->validator->lease, follower_boottime_ns(follower));
    if (state != follower->seen_state)
        log_event(state == LEASE_SERVING ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "the validator's state",
                  LOG_TEXT("state", lease_state_get_name(state)));
    follower->seen_state = state;
    if (state == LEASE_HISTORY_LOST)
        feed_lose_history(follower->options.feed);
    if (follower->options.on_round)
        follower->options.on_round(follower->options.context);
}

static uint64_t get_wait_ms(const struct follower *follower, uint64_t started_ns) {
    uint64_t poll_ns = (uint64_t)follower->options.poll_ms * MS_NS;
    uint64_t spent_ns = follower_now_ns(follower) - started_ns;
    return spent_ns < poll_ns ? (poll_ns - spent_ns + MS_NS - 1) / MS_NS : 0;
}

// They may have waited for longer than the lease.
static void run_errands(struct follower *follower) {
    const struct validator *validator = follower->validator;
    uint64_t now = follower_boottime_ns(follower);
    bool is_current = lease_get_state(&validator->lease, now) == LEASE_SERVING;
    errands_run(&follower->errands, is_current ? follower->image : NULL,
                validator_get_time_ms(validator, now));
}

// What is applied by half is served, but is not what a file may hold: nothing in it tells that the rest is to
// be read again (applier.h).
static bool is_current(const struct follower *follower) {
    return follower->state == FOLLOWING && !follower->applier.is_half_applied &&
           lease_get_state(&follower->validator->lease, follower_boottime_ns(follower)) == LEASE_SERVING;
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
    uint64_t started_ns = follower_now_ns(follower);
    run_errands(follower);
    feed_step(follower->options.feed);
    enum status status = run_turn(follower, &turn);
    move(follower, turn.event);
    tell(follower);
    if (status != STATUS_OK) {
        atomic_fetch_add_explicit(&follower->status.failures, 1, memory_order_relaxed);
        follower->source->disconnect(follower);
        hint_pause(&follower->hint, backoff_next_ms(&follower->backoff, random_get_u64()));
        return;
    }
    backoff_reset(&follower->backoff);
    if (!turn.is_followed_at_once)
        rest(follower, started_ns);
}

static void *run(void *context) {
    struct follower *follower = context;
    while (!hint_is_stopping(&follower->hint))
        run_once(follower);
    bool was_current = is_current(follower);
    lease_withdraw(&follower->validator->lease);
    follower->source->leave(follower);
    if (was_current)
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
    enum status status =
        hint_init(&follower->hint, follower->upstream ? NULL : follower->options.database, CHANNEL);
    if (status != STATUS_OK)
        return status;
    if (pthread_create(&follower->thread, NULL, run, follower) == 0)
        return STATUS_OK;
    hint_stop(&follower->hint);
    hint_fini(&follower->hint);
    return STATUS_EXHAUSTED;
}

static void free_parts(struct follower *follower) {
    feed_set_image(follower->options.feed, NULL);
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
    follower->upstream = options->upstream;
    follower->source = options->upstream ? &follower_upstream : &follower_database;
    follower->state = LOADING;
    follower->registration = (struct follower_registration){.instance = uuid_new(options->clock),
                                                            .name = options->name,
                                                            .address = options->address,
                                                            .lease_ms = options->max_staleness_ms,
                                                            .lanes = options->lanes};
    lease_init(&validator->lease, (uint64_t)options->max_staleness_ms * MS_NS);
    follower_status_init(&follower->status, validator, options->clock);
    follower->status.lanes = options->lanes;
    errands_init(&follower->errands);
    const struct snapshot_keeper_options keeper = {options->snapshot_path, options->snapshot_period_ms,
                                                   options->lanes, options->clock};
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

enum status follower_tell_loss(struct follower *follower, const struct loss_message *message,
                               struct loss_standing *ret_standing) {
    return follower->source->tell_loss(follower, message, ret_standing);
}

void follower_write_unready(struct follower *follower, struct buffer *to) {
    follower_status_write_unready(&follower->status, to);
}

void follower_write_metrics(struct metrics_writer *writer, void *context) {
    struct follower *follower = context;
    follower_status_write_metrics(writer, &follower->status);
    snapshot_keeper_write_metrics(&follower->keeper, writer);
}
