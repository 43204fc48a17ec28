#include "services/validator/follow/loss_wire_rpc.h"

#include <string.h>

enum {
    INSTANCE_BYTES_MAX = 255,
    WHAT_BYTES_MAX = 64,
    KNOWN_MAX = 8192,
    CLAIMS_MAX = 2000,
};

// ---- a request is written ----

// False when out of memory.
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

enum status loss_wire_write_request(const struct loss_message *message, struct arena *arena,
                                    Latchkey__V1__CheckHistoryRequest *ret_request) {
    latchkey__v1__check_history_request__init(ret_request);
    ret_request->report_id = write_id(&message->report_id);
    ret_request->instance = arena_copy_bytes(arena, message->validator);
    ret_request->complete = message->is_complete;
    ret_request->failure = arena_copy_bytes(arena, message->failure);
    bool is_whole = ret_request->instance && ret_request->failure &&
                    add_positions(arena, message, ret_request) && add_claims(arena, message, ret_request);
    return is_whole ? STATUS_OK : STATUS_NO_MEMORY;
}

// ---- a request is read ----

static bool read_position(struct fault *fault, const char *field, const Latchkey__V1__LanePosition *told,
                          struct revision *ret_position) {
    if (told->lane >= LANE_COUNT || told->seq == 0 || told->seq > INT64_MAX) {
        fault_add_field(fault, field, "there are lanes 0 to 64, and changes are numbered from 1");
        return false;
    }
    *ret_position = (struct revision){(uint8_t)told->lane, (int64_t)told->seq, (int64_t)told->mark};
    return true;
}

static bool read_id(struct fault *fault, const char *field, ProtobufCBinaryData told, struct uuid *ret_id) {
    struct uuid id = {{0}};
    if (told.len == sizeof(id))
        memcpy(&id, told.data, sizeof(id));
    if (uuid_is_zero(id))
        fault_add_field(fault, field, "send the 16 bytes of an id");
    *ret_id = id;
    return !uuid_is_zero(id);
}

static void read_positions(const Latchkey__V1__CheckHistoryRequest *request, struct fault *fault,
                           struct loss_told *told) {
    struct revision position;
    for (size_t i = 0; i < request->n_positions; i++) {
        if (!read_position(fault, "positions", request->positions[i], &position))
            return;
        told->seqs[position.lane] = position.seq;
        told->marks[position.lane] = position.mark;
    }
}

static enum status read_known(const Latchkey__V1__CheckHistoryRequest *request, struct arena *arena,
                              struct fault *fault, struct loss_message *message) {
    size_t count = request->n_known, read = 0;
    struct revision *known = ARENA_NEW_ARRAY(arena, struct revision, count + 1);
    if (!known)
        return STATUS_NO_MEMORY;
    while (read < count && read_position(fault, "known", request->known[read], &known[read]))
        read++;
    message->known = known;
    message->known_count = count;
    return STATUS_OK;
}

static bool read_claim(struct fault *fault, const Latchkey__V1__LossClaim *told, struct loss_claim *claim) {
    claim->what = bytes_of_text(told->what);
    claim->until_ms = told->until_ms;
    bool has_ids = read_id(fault, "claims.company_id", told->company_id, &claim->company_id) &&
                   read_id(fault, "claims.object_id", told->object_id, &claim->object_id);
    if (claim->what.len <= WHAT_BYTES_MAX)
        return has_ids;
    fault_add_field(fault, "claims.what", "send at most 64 bytes");
    return false;
}

static enum status read_claims(const Latchkey__V1__CheckHistoryRequest *request, struct arena *arena,
                               struct fault *fault, struct loss_message *message) {
    size_t count = request->n_claims, read = 0;
    struct loss_claim *claims = ARENA_NEW_ARRAY(arena, struct loss_claim, count + 1);
    if (!claims)
        return STATUS_NO_MEMORY;
    while (read < count && read_claim(fault, request->claims[read], &claims[read]))
        read++;
    message->claims = claims;
    message->claim_count = count;
    return STATUS_OK;
}

static void check_sizes(struct fault *fault, const Latchkey__V1__CheckHistoryRequest *request) {
    size_t instance_len = bytes_of_text(request->instance).len;
    if (instance_len == 0 || instance_len > INSTANCE_BYTES_MAX)
        fault_add_field(fault, "instance", "send a name of 1 to 255 bytes");
    if (bytes_of_text(request->failure).len > INSTANCE_BYTES_MAX)
        fault_add_field(fault, "failure", "send at most 255 bytes");
    if (request->n_positions > LANE_COUNT)
        fault_add_field(fault, "positions", "send at most one for each lane");
    if (request->n_known > KNOWN_MAX)
        fault_add_field(fault, "known", "send at most 8192, and call again");
    if (request->n_claims > CLAIMS_MAX)
        fault_add_field(fault, "claims", "send at most 2000, and call again");
}

enum status loss_wire_read_request(const Latchkey__V1__CheckHistoryRequest *request, struct arena *arena,
                                   struct fault *fault, struct loss_told *ret_told) {
    struct loss_message *message = &ret_told->message;
    *ret_told = (struct loss_told){.message = {.validator = bytes_of_text(request->instance),
                                               .seqs = ret_told->seqs,
                                               .marks = ret_told->marks,
                                               .is_complete = request->complete,
                                               .failure = bytes_of_text(request->failure)}};
    bool has_id = read_id(fault, "report_id", request->report_id, &message->report_id);
    check_sizes(fault, request);
    if (!has_id || fault->status != STATUS_OK)
        return fault->status;
    read_positions(request, fault, ret_told);
    if (read_known(request, arena, fault, message) != STATUS_OK ||
        read_claims(request, arena, fault, message) != STATUS_OK)
        return fault_set_no_memory(fault);
    return fault->status;
}

// ---- the answer ----

enum status loss_wire_write_response(const struct loss_standing *standing, struct arena *arena,
                                     Latchkey__V1__CheckHistoryResponse *ret_response) {
    static const Latchkey__V1__HistoryStanding standings[] = {
        [LOSS_NONE] = LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_KEPT,
        [LOSS_REPORTED] = LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_REPORTED,
        [LOSS_COMPARED] = LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_COMPARED,
        [LOSS_SETTLED] = LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_SETTLED,
    };
    latchkey__v1__check_history_response__init(ret_response);
    ret_response->standing = standings[standing->state];
    ret_response->lost_lanes = ARENA_NEW_ARRAY(arena, uint32_t, LANE_COUNT);
    ret_response->back_to = ARENA_NEW_ARRAY(arena, Latchkey__V1__LanePosition *, LANE_COUNT);
    if (!ret_response->lost_lanes || !ret_response->back_to)
        return STATUS_NO_MEMORY;
    for (uint8_t lane = 0; lane < LANE_COUNT; lane++) {
        const struct revision before = {lane, standing->before_seqs[lane], standing->before_marks[lane]};
        if (!standing->lanes[lane])
            continue;
        ret_response->lost_lanes[ret_response->n_lost_lanes++] = lane;
        if (standing->is_settled[lane] &&
            !add_position(arena, ret_response->back_to, &ret_response->n_back_to, before))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static enum loss_state read_state(Latchkey__V1__HistoryStanding told) {
    switch (told) {
    case LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_KEPT: return LOSS_NONE;
    case LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_REPORTED: return LOSS_REPORTED;
    case LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_SETTLED: return LOSS_SETTLED;
    default: return LOSS_COMPARED;
    }
}

// Only what was lost can go back to anything.
static bool read_back(const Latchkey__V1__LanePosition *back, struct loss_standing *standing) {
    if (back->lane >= LANE_COUNT || back->seq > INT64_MAX)
        return false;
    if (!standing->lanes[back->lane])
        return true;
    standing->is_settled[back->lane] = true;
    standing->before_seqs[back->lane] = (int64_t)back->seq;
    standing->before_marks[back->lane] = (int64_t)back->mark;
    return true;
}

enum status loss_wire_read_response(const Latchkey__V1__CheckHistoryResponse *response,
                                    struct loss_standing *ret_standing) {
    struct loss_standing standing = {.state = read_state(response->standing)};
    for (size_t i = 0; i < response->n_lost_lanes; i++) {
        if (response->lost_lanes[i] >= LANE_COUNT)
            return STATUS_MALFORMED;
        standing.lanes[response->lost_lanes[i]] = true;
    }
    for (size_t i = 0; i < response->n_back_to; i++)
        if (!read_back(response->back_to[i], &standing))
            return STATUS_MALFORMED;
    *ret_standing = standing;
    return STATUS_OK;
}
