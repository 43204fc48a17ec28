#include "services/validator/follow/upstream_loss_rpc.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "services/validator/follow/loss_claims.h"
#include "services/validator/follow/upstream_call_rpc.h"

#define PATH "/latchkey.v1.ValidationService/CheckHistory"
#define PARTLY \
    "it is fed by another validator: only what ended somebody's access was compared, and no secrets"
#define FORGOTTEN "it had no memory left for what it knew"

enum { CLAIMS_MAX = 1000 }; // in one call

// ---- memory ----

void upstream_loss_remember(struct follower *follower) {
    struct upstream_memory *memory = &follower->upstream->memory;
    if (!follower->image || memory->has_image)
        return;
    memory->has_image = true;
    const struct positions *applied = lanes_get_positions(image_get_lanes(follower->image));
    // why none of the lanes that are not served: a report of them would tell nothing of what was lost there.
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        if (!image_serves(follower->image, lane) || applied->seqs[lane] < memory->seqs[lane])
            continue;
        memory->seqs[lane] = applied->seqs[lane];
        memory->marks[lane] = applied->marks[lane];
    }
}

bool upstream_loss_is_reached(const struct follower *follower, const struct image *image) {
    const struct upstream_memory *memory = &follower->upstream->memory;
    const struct positions *positions = lanes_get_positions(image_get_lanes(image));
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (positions->seqs[lane] < memory->seqs[lane] ||
            (positions->seqs[lane] == memory->seqs[lane] && positions->marks[lane] != memory->marks[lane]))
            return false;
    return true;
}

static bool has_memory(const struct upstream_memory *memory) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (memory->seqs[lane] > 0)
            return true;
    return false;
}

static void give_up(struct upstream_memory *memory, const struct loss_standing *standing) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        if (!standing->lanes[lane])
            continue;
        memory->seqs[lane] = standing->is_settled[lane] ? standing->before_seqs[lane] : 0;
        memory->marks[lane] = standing->is_settled[lane] ? standing->before_marks[lane] : 0;
    }
    memory->report_id = (struct uuid){{0}};
    memory->is_told = false;
}

// ---- the call ----

// All that a request points to, in the arena; false when out of memory.
static bool add_position(struct arena *arena, Latchkey__V1__LanePosition **list, size_t *count,
                         struct revision position) {
    Latchkey__V1__LanePosition *made = ARENA_NEW(arena, Latchkey__V1__LanePosition);
    if (!made)
        return false;
    latchkey__v1__lane_position__init(made);
    made->lane = position.lane;
    made->seq = (uint64_t)position.seq;
    made->mark = (uint64_t)position.mark;
    list[(*count)++] = made;
    return true;
}

static bool add_positions(struct arena *arena, const struct loss_message *message,
                          Latchkey__V1__CheckHistoryRequest *request) {
    request->positions = ARENA_NEW_ARRAY(arena, Latchkey__V1__LanePosition *, LANE_COUNT);
    request->known = ARENA_NEW_ARRAY(arena, Latchkey__V1__LanePosition *, message->known_count + 1);
    bool is_whole = request->positions && request->known;
    for (uint8_t lane = 0; lane < LANE_COUNT && is_whole; lane++) {
        const struct revision position = {lane, message->seqs[lane], message->marks[lane]};
        if (position.seq > 0)
            is_whole = add_position(arena, request->positions, &request->n_positions, position);
    }
    for (size_t i = 0; i < message->known_count && is_whole; i++)
        is_whole = add_position(arena, request->known, &request->n_known, message->known[i]);
    return is_whole;
}

static ProtobufCBinaryData write_id(const struct uuid *id) {
    return (ProtobufCBinaryData){sizeof(*id), (uint8_t *)(uintptr_t)id}; // only read
}

static bool add_claims(struct arena *arena, const struct loss_message *message,
                       Latchkey__V1__CheckHistoryRequest *request) {
    request->claims = ARENA_NEW_ARRAY(arena, Latchkey__V1__LossClaim *, message->claim_count + 1);
    for (size_t i = 0; i < message->claim_count && request->claims; i++) {
        const struct loss_claim *claim = &message->claims[i];
        Latchkey__V1__LossClaim *made = ARENA_NEW(arena, Latchkey__V1__LossClaim);
        if (!made)
            return false;
        latchkey__v1__loss_claim__init(made);
        made->what = arena_copy_bytes(arena, claim->what);
        made->company_id = write_id(&claim->company_id);
        made->object_id = write_id(&claim->object_id);
        made->until_ms = claim->until_ms;
        if (!made->what)
            return false;
        request->claims[request->n_claims++] = made;
    }
    return request->claims != NULL;
}

static bool fill(struct arena *arena, const struct loss_message *message,
                 Latchkey__V1__CheckHistoryRequest *request) {
    request->report_id = write_id(&message->report_id);
    request->instance = arena_copy_bytes(arena, message->validator);
    request->complete = message->is_complete;
    request->failure = arena_copy_bytes(arena, message->failure);
    return request->instance && request->failure && add_positions(arena, message, request) &&
           add_claims(arena, message, request);
}

static enum status read_standing(const Latchkey__V1__CheckHistoryResponse *response,
                                 struct loss_standing *ret_standing) {
    static const enum loss_state states[] = {
        [LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_UNSPECIFIED] = LOSS_COMPARED,
        [LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_KEPT] = LOSS_NONE,
        [LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_REPORTED] = LOSS_REPORTED,
        [LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_COMPARED] = LOSS_COMPARED,
        [LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_SETTLED] = LOSS_SETTLED,
    };
    size_t standing = (size_t)response->standing;
    *ret_standing =
        (struct loss_standing){.state = standing < ARRAY_LENGTH(states) ? states[standing] : LOSS_COMPARED};
    for (size_t i = 0; i < response->n_lost_lanes; i++) {
        if (response->lost_lanes[i] >= LANE_COUNT)
            return STATUS_MALFORMED;
        ret_standing->lanes[response->lost_lanes[i]] = true;
    }
    for (size_t i = 0; i < response->n_back_to; i++) {
        const Latchkey__V1__LanePosition *back = response->back_to[i];
        if (back->lane >= LANE_COUNT || back->seq > INT64_MAX)
            return STATUS_MALFORMED;
        ret_standing->is_settled[back->lane] = true;
        ret_standing->before_seqs[back->lane] = (int64_t)back->seq;
        ret_standing->before_marks[back->lane] = (int64_t)back->mark;
    }
    return STATUS_OK;
}

enum status upstream_loss_tell(struct follower *follower, const struct loss_message *message,
                               struct loss_standing *ret_standing) {
    Latchkey__V1__CheckHistoryRequest request = LATCHKEY__V1__CHECK_HISTORY_REQUEST__INIT;
    struct arena arena;
    ProtobufCMessage *response;
    arena_init(&arena, 0);
    enum status status = fill(&arena, message, &request) ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = upstream_call_ask(follower, PATH, &request.base,
                                   &latchkey__v1__check_history_response__descriptor, &arena, &response);
    if (status == STATUS_OK)
        status = read_standing((const Latchkey__V1__CheckHistoryResponse *)response, ret_standing);
    arena_fini(&arena);
    return status;
}

// ---- asking and telling ----

static struct loss_message make_message(struct follower *follower) {
    struct upstream_memory *memory = &follower->upstream->memory;
    if (uuid_is_zero(memory->report_id))
        memory->report_id = uuid_new(follower->options.clock);
    return (struct loss_message){.report_id = memory->report_id,
                                 .validator = bytes_of_text(follower->options.name),
                                 .seqs = memory->seqs,
                                 .marks = memory->marks};
}

// A feeder of the release before can't be asked: what goes back is not taken from it either way.
static enum status ask(struct follower *follower, struct loss_standing *ret_standing) {
    const struct loss_message message = make_message(follower);
    enum status status = upstream_loss_tell(follower, &message, ret_standing);
    if (status == STATUS_UNIMPLEMENTED) {
        *ret_standing = (struct loss_standing){.state = LOSS_NONE};
        return STATUS_OK;
    }
    if (status == STATUS_OK && ret_standing->state == LOSS_REPORTED)
        follower->upstream->memory.is_told = false;
    if (status == STATUS_OK && ret_standing->state == LOSS_SETTLED) {
        log_event(LOG_LEVEL_WARNING, "the loss of changes is settled: what was lost is given up");
        give_up(&follower->upstream->memory, ret_standing);
    }
    return status;
}

enum status upstream_loss_check(struct follower *follower, enum loss_state *ret_state) {
    struct loss_standing standing = {.state = LOSS_NONE};
    enum status status = STATUS_OK;
    if (has_memory(&follower->upstream->memory))
        status = ask(follower, &standing);
    if (status == STATUS_OK)
        *ret_state = standing.state;
    return status;
}

// Claims that have not been sent.
struct batch {
    struct follower *follower;
    struct loss_message message;
    struct loss_claim claims[CLAIMS_MAX];
};

static enum status send(struct batch *batch) {
    struct loss_standing standing;
    enum status status = upstream_loss_tell(batch->follower, &batch->message, &standing);
    batch->message.known_count = 0;
    batch->message.claim_count = 0;
    return status;
}

static enum status add(void *context, const struct loss_claim *claim) {
    struct batch *batch = context;
    batch->claims[batch->message.claim_count++] = *claim;
    return batch->message.claim_count == CLAIMS_MAX ? send(batch) : STATUS_OK;
}

static enum status send_known(struct batch *batch, const bool lanes[LANE_COUNT]) {
    enum status status = STATUS_OK;
    for (unsigned lane = 0; lane < LANE_COUNT && status == STATUS_OK; lane++) {
        struct revision known[LANES_WINDOW];
        if (!lanes[lane])
            continue;
        batch->message.known = known;
        batch->message.known_count = lanes_list_known(image_get_lanes(batch->follower->image), lane, known);
        status = send(batch);
    }
    return status;
}

static enum status send_memory(struct batch *batch, const struct loss_standing *standing) {
    const struct follower *follower = batch->follower;
    struct loss_claims_options options = {
        .now_ms = validator_get_time_ms(follower->validator, follower_boottime_ns(follower)),
        .tell = add,
        .context = batch};
    memcpy(options.lanes, standing->lanes, sizeof(options.lanes));
    enum status status = send_known(batch, standing->lanes);
    return status == STATUS_OK ? loss_claims_list(follower->image, &options) : status;
}

static enum status send_all(struct follower *follower, const struct loss_standing *standing) {
    struct batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return STATUS_NO_MEMORY;
    batch->follower = follower;
    batch->message = make_message(follower);
    batch->message.claims = batch->claims;
    enum status status = follower->image ? send_memory(batch, standing) : STATUS_OK;
    batch->message.is_complete = true;
    batch->message.failure = bytes_of_text(follower->image ? PARTLY : FORGOTTEN);
    if (status == STATUS_OK)
        status = send(batch);
    free(batch);
    return status;
}

enum status upstream_loss_report(struct follower *follower) {
    struct upstream_memory *memory = &follower->upstream->memory;
    struct loss_standing standing;
    if (memory->is_told || !has_memory(memory))
        return STATUS_OK;
    enum status status = ask(follower, &standing);
    if (status == STATUS_OK && standing.state == LOSS_REPORTED)
        status = send_all(follower, &standing);
    if (status == STATUS_OK)
        memory->is_told = standing.state != LOSS_SETTLED;
    return status;
}
