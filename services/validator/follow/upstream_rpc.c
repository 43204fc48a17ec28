#include "services/validator/follow/upstream_rpc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/random.h"
#include "common/crypto/secret.h"
#include "common/grpc_client/client_stream.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/follow/feed_reader_rpc.h"
#include "services/validator/follow/follower_internal.h"

#define MS_NS UINT64_C(1000000)
#define PATH "/latchkey.v1.ValidationService/WatchChanges"

enum {
    FORMAT = 1,
    SENT_MAX = 16, // nonces whose answers still count
    TOKEN_BYTES_MAX = 4096,
    SILENCE_MS = 60000, // in the middle of a snapshot
    OPENING_MS = 10000,
    GOODBYE_MS = 2000,
    KEEPALIVE_MS = 5000,
    RESPONSE_BYTES_MAX = 4 * 1024 * 1024,
    AUTHORIZATION_MAX = TOKEN_BYTES_MAX + sizeof("Bearer "),
};

// What a nonce's answer is counted from.
struct sent {
    uint64_t nonce;
    uint64_t boottime_ns;
    int64_t realtime_ms;
};

struct upstream {
    struct upstream_options options;
    struct grpc_client *client;
    struct grpc_client_stream *stream; // NULL = none now
    struct arena arena;                // of one message
    struct feed_reader reader;
    struct uuid instance_id;
    uint64_t feed; // that the image is from
    struct fingerprint_key key;
    struct sent sent[SENT_MAX]; // a ring
    size_t sent_count;          // so far
    uint64_t asked_ns;          // monotonic, when the last one was
    bool is_awaited;            // the last one's answer has not come
    bool has_news;              // that the feeder does not know to be applied
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

// ---- failures ----

// The feeder's own words, or the client's.
static enum status fail(struct follower *follower, const struct fault *fault) {
    bool is_ended = fault->status == STATUS_OK;
    const char *text = fault->message ? fault->message : status_get_text(fault->status);
    snprintf(follower->failure, sizeof(follower->failure), "%s", is_ended ? "it has ended the feed" : text);
    return is_ended ? STATUS_UNAVAILABLE : fault->status;
}

static enum status fail_with(struct follower *follower, enum status status, const char *sentence) {
    snprintf(follower->failure, sizeof(follower->failure), "%s", sentence);
    return status;
}

static bool has_reason(const struct fault *fault, const char *reason) {
    return fault->reason && strcmp(fault->reason, reason) == 0;
}

static void disconnect(struct follower *follower) {
    struct upstream *upstream = follower->upstream;
    grpc_client_stream_free(upstream->stream);
    upstream->stream = NULL;
    feed_reader_reset(&upstream->reader);
}

// ---- opening ----

#define BEARER "Bearer "

// "Bearer ..." of the file's first word.
static enum status read_authorization(const char *path, char ret_value[AUTHORIZATION_MAX]) {
    char *token = ret_value + strlen(BEARER);
    memcpy(ret_value, BEARER, strlen(BEARER) + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t len = fd >= 0 ? read(fd, token, TOKEN_BYTES_MAX) : -1;
    if (fd >= 0)
        close(fd);
    token[len > 0 ? len : 0] = '\0';
    token[strcspn(token, " \t\r\n")] = '\0';
    return token[0] ? STATUS_OK : STATUS_NOT_FOUND;
}

static enum status open_call(struct follower *follower, struct fault *fault) {
    struct upstream *upstream = follower->upstream;
    char authorization[AUTHORIZATION_MAX] = "";
    const char *token_file = upstream->options.token_file;
    if (token_file && read_authorization(token_file, authorization) != STATUS_OK)
        return fail_with(follower, STATUS_UNAVAILABLE, "the file of the upstream's token can't be read");
    const struct grpc_metadata metadata = {"authorization", authorization};
    const struct grpc_client_call call = {.path = PATH,
                                          .response = &latchkey__v1__watch_changes_response__descriptor,
                                          .metadata = &metadata,
                                          .metadata_count = token_file ? 1 : 0};
    enum status status = grpc_client_stream_open(upstream->client, &call, &upstream->stream, fault);
    secret_wipe(authorization, sizeof(authorization));
    if (status != STATUS_OK)
        return fail(follower, fault);
    grpc_client_stream_set_wake(upstream->stream, follower->hint.wake_fd);
    return STATUS_OK;
}

// Positions as messages, in the arena. False when out of memory.
static bool list_positions(struct arena *arena, const int64_t seqs[LANE_COUNT], const int64_t *marks,
                           Latchkey__V1__WatchChangesRequest *request) {
    Latchkey__V1__LanePosition *all = ARENA_NEW_ARRAY(arena, Latchkey__V1__LanePosition, LANE_COUNT);
    request->positions = ARENA_NEW_ARRAY(arena, Latchkey__V1__LanePosition *, LANE_COUNT);
    if (!all || !request->positions)
        return false;
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        if (seqs[lane] == 0)
            continue;
        latchkey__v1__lane_position__init(&all[lane]);
        all[lane].lane = lane;
        all[lane].seq = (uint64_t)seqs[lane];
        all[lane].mark = (uint64_t)marks[lane];
        request->positions[request->n_positions++] = &all[lane];
    }
    return true;
}

static enum status send(struct follower *follower, const Latchkey__V1__WatchChangesRequest *request) {
    struct fault fault;
    fault_init(&fault, &follower->upstream->arena);
    if (grpc_client_stream_send(follower->upstream->stream, &request->base, &fault) == STATUS_OK)
        return STATUS_OK;
    return fail(follower, &fault);
}

enum beginning { FROM_NOTHING, FROM_POSITIONS };

static enum status send_first(struct follower *follower, enum beginning beginning) {
    struct upstream *upstream = follower->upstream;
    Latchkey__V1__WatchChangesRequest request = LATCHKEY__V1__WATCH_CHANGES_REQUEST__INIT;
    Google__Protobuf__Duration staleness = GOOGLE__PROTOBUF__DURATION__INIT;
    staleness.seconds = follower->options.max_staleness_ms / 1000;
    staleness.nanos = (int32_t)(follower->options.max_staleness_ms % 1000 * 1000000);
    request.max_staleness = &staleness;
    request.instance = (char *)(uintptr_t)follower->options.name; // only read
    request.instance_id =
        (ProtobufCBinaryData){sizeof(upstream->instance_id), (void *)&upstream->instance_id};
    request.format = FORMAT;
    request.feed = upstream->feed;
    if (beginning == FROM_POSITIONS) {
        const struct positions *own = lanes_get_positions(image_get_lanes(follower->image));
        if (!list_positions(&upstream->arena, own->seqs, own->marks, &request))
            return STATUS_NO_MEMORY;
    }
    return send(follower, &request);
}

// The next message, in the arena, which is emptied before. NOT_FOUND: nothing came in time, or a hint did.
static enum status read_message(struct follower *follower, int64_t timeout_ms, struct fault *ret_fault,
                                const Latchkey__V1__WatchChangesResponse **ret_message) {
    struct upstream *upstream = follower->upstream;
    ProtobufCMessage *message;
    arena_reset(&upstream->arena);
    fault_init(ret_fault, &upstream->arena);
    enum status status =
        grpc_client_stream_read(upstream->stream, timeout_ms, &upstream->arena, &message, ret_fault);
    if (status == STATUS_OK)
        *ret_message = (const Latchkey__V1__WatchChangesResponse *)message;
    else if (has_reason(ret_fault, GRPC_CLIENT_DEADLINE))
        return STATUS_NOT_FOUND;
    return status == STATUS_OK ? status : fail(follower, ret_fault);
}

// The same of one that has to come soon.
static enum status await_message(struct follower *follower, int64_t timeout_ms, struct fault *ret_fault,
                                 const Latchkey__V1__WatchChangesResponse **ret_message) {
    uint64_t until_ns = follower_now_ns(follower) + (uint64_t)timeout_ms * MS_NS;
    enum status status;
    while ((status = read_message(follower, timeout_ms, ret_fault, ret_message)) == STATUS_NOT_FOUND) {
        if (hint_is_stopping(&follower->hint))
            return STATUS_CANCELLED;
        if (follower_now_ns(follower) >= until_ns)
            return fail_with(follower, STATUS_UNAVAILABLE, "the upstream is silent");
        hint_take(&follower->hint);
    }
    return status;
}

// What a feeder begins with. `ret_fault` tells what a failure means.
static enum status open_feed(struct follower *follower, enum beginning beginning, struct fault *ret_fault) {
    struct upstream *upstream = follower->upstream;
    const Latchkey__V1__WatchChangesResponse *opening;
    disconnect(follower);
    arena_reset(&upstream->arena);
    fault_init(ret_fault, &upstream->arena);
    enum status status = open_call(follower, ret_fault);
    if (status == STATUS_OK)
        status = send_first(follower, beginning);
    if (status == STATUS_OK)
        status = await_message(follower, OPENING_MS, ret_fault, &opening);
    if (status != STATUS_OK) {
        // Whatever its words were, they are needed when it is closed, and live in the arena.
        disconnect(follower);
        return status;
    }
    if (opening->format != FORMAT || opening->feed == 0 || opening->n_fingerprint_key != 2)
        return fail_with(follower, STATUS_MALFORMED, "it speaks another format of the feed: update this one");
    upstream->feed = opening->feed;
    upstream->key = (struct fingerprint_key){{opening->fingerprint_key[0], opening->fingerprint_key[1]}};
    upstream->sent_count = 0;
    upstream->is_awaited = false;
    upstream->has_news = true;
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
        status = await_message(follower, SILENCE_MS, &fault, &message);
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

static enum status run_loading(struct follower *follower, struct turn *turn) {
    uint64_t started_ns = follower_now_ns(follower);
    struct upstream *upstream = follower->upstream;
    struct image *image;
    struct fault fault;
    follower_status_begin_load(&follower->status);
    snapshot_progress_begin(&follower->status.progress, follower->options.clock, 0);
    enum status status = open_feed(follower, FROM_NOTHING, &fault);
    if (status == STATUS_OK)
        status = image_new(&follower->reclaim, &upstream->key, &image);
    if (status != STATUS_OK)
        return status;
    status = fill_image(follower, image);
    reclaim_run(&follower->reclaim);
    if (status != STATUS_OK) {
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
    return upstream->sent_count == 0 || spent_ns >= (uint64_t)follower->options.poll_ms * MS_NS;
}

static uint64_t draw_nonce(struct follower *follower) {
    struct upstream *upstream = follower->upstream;
    struct sent *sent = &upstream->sent[upstream->sent_count++ % SENT_MAX];
    upstream->is_awaited = true;
    upstream->asked_ns = follower_now_ns(follower);
    *sent = (struct sent){.nonce = random_get_u64() | 1,
                          .boottime_ns = follower_boottime_ns(follower),
                          .realtime_ms = clock_get_realtime_ms(follower->options.clock)};
    return sent->nonce;
}

// Tells the positions that everybody has reached whom we feed, and asks for more time.
//
// why without a nonce while one is on its way: under changes without a pause no answer would ever be the
// newest one's.
static enum status ask(struct follower *follower) {
    struct upstream *upstream = follower->upstream;
    int64_t told[LANE_COUNT];
    Latchkey__V1__WatchChangesRequest request = LATCHKEY__V1__WATCH_CHANGES_REQUEST__INIT;
    const struct positions *own = lanes_get_positions(image_get_lanes(follower->image));
    bool has_nonce = !upstream->is_awaited || is_due(follower);
    if (has_nonce)
        follower_begin_round(follower, told);
    else
        follower_get_told(follower, told);
    arena_reset(&upstream->arena);
    if (!list_positions(&upstream->arena, told, own->marks, &request))
        return STATUS_NO_MEMORY;
    upstream->has_news = false;
    request.nonce = has_nonce ? draw_nonce(follower) : 0;
    return send(follower, &request);
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

static const struct sent *find_sent(const struct upstream *upstream, uint64_t nonce, bool *ret_is_newest) {
    size_t known = upstream->sent_count < SENT_MAX ? upstream->sent_count : SENT_MAX;
    for (size_t back = 1; back <= known; back++) {
        const struct sent *sent = &upstream->sent[(upstream->sent_count - back) % SENT_MAX];
        *ret_is_newest = back == 1;
        if (sent->nonce == nonce)
            return sent;
    }
    return NULL;
}

static uint64_t read_valid_ns(const Google__Protobuf__Duration *duration) {
    if (!duration || duration->seconds < 0 || duration->nanos < 0 || duration->seconds > INT32_MAX)
        return 0;
    return (uint64_t)duration->seconds * UINT64_C(1000000000) + (uint64_t)duration->nanos;
}

static enum status take_answer(struct follower *follower, const Latchkey__V1__WatchChangesResponse *message) {
    bool is_newest = false;
    const struct sent *sent = find_sent(follower->upstream, message->nonce, &is_newest);
    if (!sent)
        return STATUS_OK; // too old to be of use
    struct renewal renewal = {.is_registered = true,
                              .database_now_ms = message->now_ms,
                              .sent_boottime_ns = sent->boottime_ns,
                              .sent_realtime_ms = sent->realtime_ms,
                              .received_realtime_ms = clock_get_realtime_ms(follower->options.clock),
                              .valid_ns = read_valid_ns(message->valid_for),
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

// What the feeder's refusal means.
static enum status judge(struct follower *follower, enum status status, const struct fault *fault,
                         struct turn *turn) {
    if (has_reason(fault, "POSITIONS_UNKNOWN")) {
        *turn = (struct turn){LOAD_AGAIN, true};
        return STATUS_OK;
    }
    if (!has_reason(fault, "HISTORY_LOST"))
        return status;
    lease_lose_history(&follower->validator->lease);
    follower_status_set_trouble(&follower->status, "%s", follower->failure);
    disconnect(follower);
    *turn = (struct turn){LOST, false};
    return STATUS_OK;
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
    turn->is_followed_at_once = true;
    if (!upstream->stream) {
        status = open_feed(follower, FROM_POSITIONS, &fault);
        forget_unpublished(image_get_own_lanes(follower->image));
        return status == STATUS_OK ? status : judge(follower, status, &fault, turn);
    }
    if (get_wait_ms(follower) == 0)
        status = ask(follower);
    if (status != STATUS_OK)
        return status;
    status = read_message(follower, get_wait_ms(follower) + 1, &fault, &message);
    if (status == STATUS_NOT_FOUND) {
        hint_take(&follower->hint);
        return STATUS_OK;
    }
    return status == STATUS_OK ? take_in(follower, message, turn) : judge(follower, status, &fault, turn);
}

// What the database lacked has been settled once a validator that follows it feeds again, from nothing.
static enum status run_lost(struct follower *follower, struct turn *turn) {
    struct fault fault;
    enum status status = open_feed(follower, FROM_NOTHING, &fault);
    if (status != STATUS_OK)
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
           read_message(follower, GOODBYE_MS, &fault, &message) == STATUS_OK)
        continue;
}

const struct follower_source follower_upstream = {
    .name = "the upstream",
    .connect = connect,
    .disconnect = disconnect,
    .run = {[LOADING] = run_loading,
            [REGISTERING] = run_registering,
            [FOLLOWING] = run_following,
            [HISTORY_LOST] = run_lost},
    .leave = leave,
};
