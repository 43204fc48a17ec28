#include "services/validator/follow/upstream_loss_rpc.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "services/validator/follow/loss_claims.h"
#include "services/validator/follow/loss_wire_rpc.h"
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
    lanes_raise(image_get_lanes(follower->image), memory->seqs, memory->marks);
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

enum status upstream_loss_tell(struct follower *follower, const struct loss_message *message,
                               struct loss_standing *ret_standing) {
    Latchkey__V1__CheckHistoryRequest request;
    struct arena arena;
    ProtobufCMessage *response;
    arena_init(&arena, 0);
    enum status status = loss_wire_write_request(message, &arena, &request);
    if (status == STATUS_OK)
        status = upstream_call_ask(follower, PATH, &request.base,
                                   &latchkey__v1__check_history_response__descriptor, &arena, &response);
    if (status == STATUS_OK)
        status = loss_wire_read_response((const Latchkey__V1__CheckHistoryResponse *)response, ret_standing);
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
