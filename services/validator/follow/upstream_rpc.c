#include "services/validator/follow/upstream_rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/protobuf/timestamp.h"
#include "services/validator/follow/upstream_call_rpc.h"
#include "services/validator/follow/upstream_loss_rpc.h"

#define MS_NS UINT64_C(1000000)

enum {
    SILENCE_MS = 60000, // in the middle of a snapshot
    GOODBYE_MS = 2000,
    KEEPALIVE_MS = 5000,
    RESPONSE_BYTES_MAX = 4 * 1024 * 1024,
};

// ---- its life ----

enum status upstream_new(const struct upstream_options *options, struct upstream **ret_upstream,
                         char *ret_error, size_t error_size) {
    struct upstream *upstream = calloc(1, sizeof(*upstream));
    if (!upstream)
        return STATUS_NO_MEMORY;
    upstream->options = *options;
    upstream->instance_id = uuid_new(options->clock);
    arena_init(&upstream->arena, 0);
    const struct grpc_client_options client = {.max_response_bytes = RESPONSE_BYTES_MAX,
                                               .clock = options->clock,
                                               .tls = options->tls,
                                               .allow_plaintext = options->allow_plaintext,
                                               .keepalive_time_ms = KEEPALIVE_MS,
                                               .keepalive_timeout_ms = KEEPALIVE_MS};
    enum status status = grpc_client_new(options->target, &client, &upstream->client, ret_error, error_size);
    if (status == STATUS_OK)
        *ret_upstream = upstream;
    else
        upstream_free(upstream);
    return status;
}

void upstream_free(struct upstream *upstream) {
    if (!upstream)
        return;
    grpc_client_stream_free(upstream->stream);
    grpc_client_free(upstream->client);
    feed_reader_fini(&upstream->reader);
    arena_fini(&upstream->arena);
    free(upstream);
}

// ---- a lost history ----

static void lose_history(struct follower *follower, struct turn *turn) {
    lease_lose_history(&follower->validator->lease);
    upstream_call_close(follower);
    *turn = (struct turn){LOST, false};
}

// What the feeder's refusal means.
static enum status judge(struct follower *follower, enum status status, const struct fault *fault,
                         struct turn *turn) {
    if (upstream_call_has_reason(fault, "POSITIONS_UNKNOWN")) {
        *turn = (struct turn){LOAD_AGAIN, true};
        return STATUS_OK;
    }
    if (!upstream_call_has_reason(fault, "HISTORY_LOST"))
        return status;
    follower_status_set_trouble(&follower->status, "%s", follower->failure);
    lose_history(follower, turn);
    return STATUS_OK;
}

// Whether the database's history has what was applied here, or it is given up.
static enum status check_memory(struct follower *follower, struct turn *turn) {
    enum loss_state state;
    enum status status = upstream_loss_check(follower, &state);
    if (status != STATUS_OK || state == LOSS_NONE || state == LOSS_SETTLED)
        return status;
    follower_status_set_trouble(&follower->status, "the database lacks changes that were applied here; "
                                                   "run `latchkey recover`");
    lose_history(follower, turn);
    return STATUS_OK;
}

// ---- loading ----

static enum status apply_rows(struct upstream *upstream, struct image *image,
                              const Latchkey__V1__WatchChangesResponse *message) {
    if (!message->rows)
        return STATUS_OK;
    if (!message->goes_on)
        image_begin_pass(image);
    upstream->reader.image = image;
    upstream->reader.arena = &upstream->arena;
    return feed_reader_apply(&upstream->reader, message->rows);
}

static enum status note_applied(struct lanes *lanes, const Latchkey__V1__WatchChangesResponse *message) {
    for (size_t i = 0; i < message->n_applied; i++) {
        const Latchkey__V1__LanePosition *change = message->applied[i];
        if (change->lane >= LANE_COUNT || change->seq == 0 || change->seq > INT64_MAX ||
            (int64_t)change->seq <= lanes->next.seqs[change->lane])
            return STATUS_MALFORMED;
        lanes_note(lanes,
                   (struct revision){(uint8_t)change->lane, (int64_t)change->seq, (int64_t)change->mark});
    }
    return STATUS_OK;
}

static enum status fill_image(struct follower *follower, struct image *image) {
    struct upstream *upstream = follower->upstream;
    const Latchkey__V1__WatchChangesResponse *message = NULL;
    struct lanes *lanes = image_get_own_lanes(image);
    struct fault fault;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !(message && message->n_applied > 0)) {
        status = upstream_call_await(follower, SILENCE_MS, &fault, &message);
        if (status == STATUS_OK)
            status = apply_rows(upstream, image, message);
        for (; upstream->reader.row_count > 0; upstream->reader.row_count--)
            snapshot_progress_add(&follower->status.progress);
        reclaim_run(&follower->reclaim);
    }
    if (status == STATUS_OK)
        status = note_applied(lanes, message);
    return status == STATUS_OK
               ? lanes_publish(lanes, follower->round + 1, lanes->next.seqs, &follower->reclaim)
               : status;
}

// Whether decisions by `image` would go back behind some by the present one. Then whoever waits for us has
// been told of the later positions, and what we were given until now does not hold for the earlier ones.
static bool goes_back(const struct follower *follower, const struct image *image) {
    if (!follower->image)
        return false;
    const struct positions *now = lanes_get_positions(image_get_lanes(follower->image));
    const struct positions *next = lanes_get_positions(image_get_lanes(image));
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (next->seqs[lane] < now->seqs[lane] ||
            (next->seqs[lane] == now->seqs[lane] && next->marks[lane] != now->marks[lane] &&
             now->seqs[lane] > 0))
            return true;
    return false;
}

// Into `image`, which is not published. Where it was lost meanwhile the turn says so, and it is of no use.
static enum status load(struct follower *follower, struct image *image, struct turn *turn) {
    enum status status = fill_image(follower, image);
    reclaim_run(&follower->reclaim);
    if (status == STATUS_OK)
        status = check_memory(follower, turn);
    if (status == STATUS_OK && turn->event == NOTHING && !upstream_loss_is_reached(follower, image)) {
        snprintf(follower->failure, sizeof(follower->failure), "it is behind what was applied here");
        return STATUS_UNAVAILABLE;
    }
    return status;
}

static enum status run_loading(struct follower *follower, struct turn *turn) {
    uint64_t started_ns = follower_now_ns(follower);
    struct image *image;
    struct fault fault;
    follower_status_begin_load(&follower->status);
    snapshot_progress_begin(&follower->status.progress, follower->options.clock, 0);
    upstream_loss_remember(follower);
    enum status status = check_memory(follower, turn);
    if (status != STATUS_OK || turn->event == LOST)
        return status;
    status = upstream_call_open(follower, FROM_NOTHING, &fault);
    if (status != STATUS_OK)
        return judge(follower, status, &fault, turn);
    status = image_new(&follower->reclaim, &follower->upstream->key, follower->options.lanes, &image);
    if (status != STATUS_OK)
        return status;
    status = load(follower, image, turn);
    if (status != STATUS_OK || turn->event == LOST) {
        image_free(image);
        if (status == STATUS_NO_MEMORY)
            follower_make_room(follower);
        return status;
    }
    if (goes_back(follower, image))
        lease_withdraw(&follower->validator->lease);
    follower_take_image(follower, image, "upstream", started_ns, turn);
    return STATUS_OK;
}

// The feeder's row stands for us, too.
static enum status run_registering(struct follower *follower, struct turn *turn) {
    (void)follower;
    *turn = (struct turn){REGISTERED, true};
    return STATUS_OK;
}

// ---- following ----

static bool is_due(const struct follower *follower) {
    const struct upstream *upstream = follower->upstream;
    uint64_t spent_ns = follower_now_ns(follower) - upstream->asked_ns;
    return upstream->nonces.count == 0 || spent_ns >= (uint64_t)follower->options.poll_ms * MS_NS;
}

static uint64_t draw_nonce(struct follower *follower) {
    struct upstream *upstream = follower->upstream;
    upstream->is_awaited = true;
    upstream->asked_ns = follower_now_ns(follower);
    return nonce_ring_draw(&upstream->nonces, follower->options.clock);
}

// Tells the positions, and asks for more time.
//
// why without a nonce while one is on its way: under changes without a pause no answer would ever be the
// newest one's.
static enum status ask(struct follower *follower) {
    struct upstream *upstream = follower->upstream;
    int64_t told[LANE_COUNT];
    bool has_nonce = !upstream->is_awaited || is_due(follower);
    if (has_nonce)
        follower_begin_round(follower, told);
    else
        follower_get_told(follower, told);
    upstream->has_news = false;
    return upstream_call_tell(follower, told, has_nonce ? draw_nonce(follower) : 0);
}

static int64_t get_wait_ms(const struct follower *follower) {
    const struct upstream *upstream = follower->upstream;
    uint64_t poll_ns = (uint64_t)follower->options.poll_ms * MS_NS;
    uint64_t spent_ns = follower_now_ns(follower) - upstream->asked_ns;
    return upstream->has_news || is_due(follower) ? 0 : (int64_t)((poll_ns - spent_ns + MS_NS - 1) / MS_NS);
}

// A run is complete: its positions are published, and told with the next nonce.
static enum status end_run(struct follower *follower, const Latchkey__V1__WatchChangesResponse *message) {
    struct lanes *lanes = image_get_own_lanes(follower->image);
    struct renewal renewal = {.valid_ns = 0};
    enum status status = note_applied(lanes, message);
    memcpy(renewal.heads, lanes->next.seqs, sizeof(renewal.heads));
    atomic_fetch_add_explicit(&follower->status.changes, message->n_applied, memory_order_relaxed);
    follower->upstream->has_news = true;
    return follower_end_round(follower, status, &renewal, false);
}

static enum status take_answer(struct follower *follower, const Latchkey__V1__WatchChangesResponse *message) {
    bool is_newest = false;
    const struct sent_nonce *sent = nonce_ring_find(&follower->upstream->nonces, message->nonce, &is_newest);
    if (!sent)
        return STATUS_OK; // too old to be of use
    struct renewal renewal = {.is_registered = true,
                              .database_now_ms = message->now_ms,
                              .sent_boottime_ns = sent->boottime_ns,
                              .sent_realtime_ms = sent->realtime_ms,
                              .received_realtime_ms = clock_get_realtime_ms(follower->options.clock),
                              .valid_ns = duration_get_ns(message->valid_for, 0),
                              .is_newest = is_newest};
    for (size_t i = 0; i < message->n_heads; i++) {
        if (message->heads[i]->lane >= LANE_COUNT || message->heads[i]->seq > INT64_MAX)
            return STATUS_MALFORMED;
        renewal.heads[message->heads[i]->lane] = (int64_t)message->heads[i]->seq;
    }
    if (is_newest)
        follower->upstream->is_awaited = false;
    atomic_fetch_add_explicit(&follower->status.rounds, 1, memory_order_relaxed);
    bool may_serve = follower_note_clock(follower, &renewal) && renewal.valid_ns > 0;
    return follower_end_round(follower, STATUS_OK, &renewal, may_serve);
}

// What fails is told again from the positions that were reached, but for what only a new image has room for.
static enum status take_in(struct follower *follower, const Latchkey__V1__WatchChangesResponse *message,
                           struct turn *turn) {
    enum status status = apply_rows(follower->upstream, follower->image, message);
    if (status == STATUS_TOO_LARGE) {
        *turn = (struct turn){LOAD_AGAIN, true};
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return follower_end_round(follower, status, NULL, false);
    if (message->n_applied > 0)
        status = end_run(follower, message);
    return status == STATUS_OK && message->nonce ? take_answer(follower, message) : status;
}

// What memory failed for is told again, from the positions that were published.
static void forget_unpublished(struct lanes *lanes) {
    lanes->next = *lanes_get_positions(lanes);
}

static enum status run_following(struct follower *follower, struct turn *turn) {
    struct upstream *upstream = follower->upstream;
    const Latchkey__V1__WatchChangesResponse *message;
    struct fault fault;
    enum status status = STATUS_OK;
    upstream->memory.has_image = false;
    turn->is_followed_at_once = true;
    if (!upstream->stream) {
        status = upstream_call_open(follower, FROM_POSITIONS, &fault);
        forget_unpublished(image_get_own_lanes(follower->image));
        return status == STATUS_OK ? status : judge(follower, status, &fault, turn);
    }
    if (get_wait_ms(follower) == 0)
        status = ask(follower);
    if (status != STATUS_OK)
        return status;
    status = upstream_call_read(follower, get_wait_ms(follower) + 1, &fault, &message);
    if (status == STATUS_NOT_FOUND) {
        hint_take(&follower->hint);
        return STATUS_OK;
    }
    return status == STATUS_OK ? take_in(follower, message, turn) : judge(follower, status, &fault, turn);
}

// It is over once a feeder that follows the database feeds again, and the database was asked.
static enum status run_lost(struct follower *follower, struct turn *turn) {
    struct fault fault;
    upstream_loss_remember(follower);
    enum status status = upstream_loss_report(follower);
    if (status == STATUS_OK)
        status = upstream_call_open(follower, FROM_NOTHING, &fault);
    if (status == STATUS_OK)
        status = check_memory(follower, turn);
    if (status != STATUS_OK || turn->event == LOST)
        return status;
    lease_recover_history(&follower->validator->lease);
    *turn = (struct turn){LOAD_AGAIN, true};
    return STATUS_OK;
}

// ---- its end ----

static enum status connect(struct follower *follower) {
    (void)follower; // a turn opens what it needs
    return STATUS_OK;
}

// We serve no more, so nobody has to wait for us: the feeder hears it before we go. What we have promised
// ourselves to others stands, and the feeder's promise with it.
static void leave(struct follower *follower) {
    struct upstream *upstream = follower->upstream;
    const Latchkey__V1__WatchChangesResponse *message;
    struct fault fault;
    if (!upstream->stream || feed_is_holding(follower->options.feed, follower_boottime_ns(follower)))
        return;
    uint64_t until_ns = follower_now_ns(follower) + GOODBYE_MS * MS_NS;
    grpc_client_stream_set_wake(upstream->stream, -1);
    grpc_client_stream_half_close(upstream->stream);
    while (follower_now_ns(follower) < until_ns &&
           upstream_call_read(follower, GOODBYE_MS, &fault, &message) == STATUS_OK)
        continue;
}

const struct follower_source follower_upstream = {
    .name = "the upstream",
    .connect = connect,
    .disconnect = upstream_call_close,
    .run = {[LOADING] = run_loading,
            [REGISTERING] = run_registering,
            [FOLLOWING] = run_following,
            [HISTORY_LOST] = run_lost},
    .tell_loss = upstream_loss_tell,
    .leave = leave,
};
