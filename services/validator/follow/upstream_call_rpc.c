#include "services/validator/follow/upstream_call_rpc.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/crypto/secret.h"

#define MS_NS UINT64_C(1000000)
#define PATH "/latchkey.v1.ValidationService/WatchChanges"
#define BEARER "Bearer "

enum {
    FORMAT = 1,
    OPENING_MS = 10000,
    ASKING_MS = 5000,
    TOKEN_BYTES_MAX = 4096,
    AUTHORIZATION_MAX = TOKEN_BYTES_MAX + sizeof(BEARER),
};

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

// ---- messages ----

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

enum status upstream_call_tell(struct follower *follower, const int64_t told[LANE_COUNT], uint64_t nonce) {
    struct upstream *upstream = follower->upstream;
    Latchkey__V1__WatchChangesRequest request = LATCHKEY__V1__WATCH_CHANGES_REQUEST__INIT;
    const struct positions *own = lanes_get_positions(image_get_lanes(follower->image));
    arena_reset(&upstream->arena);
    if (!list_positions(&upstream->arena, told, own->marks, &request))
        return STATUS_NO_MEMORY;
    request.nonce = nonce;
    return send(follower, &request);
}

enum status upstream_call_read(struct follower *follower, int64_t timeout_ms, struct fault *ret_fault,
                               const Latchkey__V1__WatchChangesResponse **ret_message) {
    struct upstream *upstream = follower->upstream;
    ProtobufCMessage *message;
    arena_reset(&upstream->arena);
    fault_init(ret_fault, &upstream->arena);
    enum status status =
        grpc_client_stream_read(upstream->stream, timeout_ms, &upstream->arena, &message, ret_fault);
    if (status == STATUS_OK)
        *ret_message = (const Latchkey__V1__WatchChangesResponse *)message;
    else if (upstream_call_has_reason(ret_fault, GRPC_CLIENT_DEADLINE))
        return STATUS_NOT_FOUND;
    return status == STATUS_OK ? status : fail(follower, ret_fault);
}

enum status upstream_call_await(struct follower *follower, int64_t timeout_ms, struct fault *ret_fault,
                                const Latchkey__V1__WatchChangesResponse **ret_message) {
    uint64_t until_ns = follower_now_ns(follower) + (uint64_t)timeout_ms * MS_NS;
    enum status status;
    while ((status = upstream_call_read(follower, timeout_ms, ret_fault, ret_message)) == STATUS_NOT_FOUND) {
        if (hint_is_stopping(&follower->hint))
            return STATUS_CANCELLED;
        if (follower_now_ns(follower) >= until_ns)
            return fail_with(follower, STATUS_UNAVAILABLE, "the upstream is silent");
        hint_take(&follower->hint);
    }
    return status;
}

// ---- opening and closing ----

void upstream_call_close(struct follower *follower) {
    struct upstream *upstream = follower->upstream;
    grpc_client_stream_free(upstream->stream);
    upstream->stream = NULL;
    feed_reader_reset(&upstream->reader);
}

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

// "" where a certificate speaks for us.
static enum status authorize(struct follower *follower, char ret_value[AUTHORIZATION_MAX]) {
    const char *token_file = follower->upstream->options.token_file;
    ret_value[0] = '\0';
    if (token_file && read_authorization(token_file, ret_value) != STATUS_OK)
        return fail_with(follower, STATUS_UNAVAILABLE, "the file of the upstream's token can't be read");
    return STATUS_OK;
}

enum status upstream_call_ask(struct follower *follower, const char *path, const ProtobufCMessage *request,
                              const ProtobufCMessageDescriptor *response, struct arena *arena,
                              ProtobufCMessage **ret_response) {
    char authorization[AUTHORIZATION_MAX];
    struct fault fault;
    fault_init(&fault, arena);
    enum status status = authorize(follower, authorization);
    if (status != STATUS_OK)
        return status;
    const struct grpc_metadata metadata = {"authorization", authorization};
    const struct grpc_client_call call = {.path = path,
                                          .request = request,
                                          .response = response,
                                          .metadata = &metadata,
                                          .metadata_count = authorization[0] ? 1 : 0,
                                          .timeout_ms = ASKING_MS,
                                          .is_repeatable = true};
    status = grpc_client_call(follower->upstream->client, &call, arena, ret_response, &fault);
    secret_wipe(authorization, sizeof(authorization));
    return status == STATUS_OK ? status : fail(follower, &fault);
}

static enum status open_call(struct follower *follower, struct fault *fault) {
    struct upstream *upstream = follower->upstream;
    char authorization[AUTHORIZATION_MAX];
    enum status status = authorize(follower, authorization);
    if (status != STATUS_OK)
        return status;
    const struct grpc_metadata metadata = {"authorization", authorization};
    const struct grpc_client_call call = {.path = PATH,
                                          .response = &latchkey__v1__watch_changes_response__descriptor,
                                          .metadata = &metadata,
                                          .metadata_count = authorization[0] ? 1 : 0};
    status = grpc_client_stream_open(upstream->client, &call, &upstream->stream, fault);
    secret_wipe(authorization, sizeof(authorization));
    if (status != STATUS_OK)
        return fail(follower, fault);
    grpc_client_stream_set_wake(upstream->stream, follower->hint.wake_fd);
    return STATUS_OK;
}

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
    request.lanes = follower->options.lanes.companies;
    if (beginning == FROM_POSITIONS) {
        const struct positions *own = lanes_get_positions(image_get_lanes(follower->image));
        if (!list_positions(&upstream->arena, own->seqs, own->marks, &request))
            return STATUS_NO_MEMORY;
    }
    return send(follower, &request);
}

enum status upstream_call_open(struct follower *follower, enum beginning beginning, struct fault *ret_fault) {
    struct upstream *upstream = follower->upstream;
    const Latchkey__V1__WatchChangesResponse *opening;
    upstream_call_close(follower);
    arena_reset(&upstream->arena);
    fault_init(ret_fault, &upstream->arena);
    enum status status = open_call(follower, ret_fault);
    if (status == STATUS_OK)
        status = send_first(follower, beginning);
    if (status == STATUS_OK)
        status = upstream_call_await(follower, OPENING_MS, ret_fault, &opening);
    if (status != STATUS_OK) {
        // Whatever its words were, they are needed when it is closed, and live in the arena.
        upstream_call_close(follower);
        return status;
    }
    if (opening->format != FORMAT || opening->feed == 0 || opening->n_fingerprint_key != 2)
        return fail_with(follower, STATUS_MALFORMED, "it speaks another format of the feed: update this one");
    upstream->feed = opening->feed;
    upstream->key = (struct fingerprint_key){{opening->fingerprint_key[0], opening->fingerprint_key[1]}};
    upstream->nonces.count = 0;
    upstream->is_awaited = false;
    upstream->has_news = true;
    return STATUS_OK;
}
