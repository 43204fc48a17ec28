// Any bytes as CheckHistory's request ('?' and the message), as a feeder reads it, or as its answer ('!'), as
// one that is fed does: refused, or what was read comes back the same when it is written and read again.
#include <assert.h>
#include <string.h>

#include "common/protobuf/message.h"
#include "services/validator/follow/loss_wire_rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static const void *unpack(const ProtobufCMessageDescriptor *type, struct bytes bytes, struct arena *arena) {
    ProtobufCMessage *message;
    const char *text;
    return message_unpack(type, bytes, arena, &message, &text) == STATUS_OK ? message : NULL;
}

// ---- the request ----

static bool is_equal_claim(const struct loss_claim *a, const struct loss_claim *b) {
    return bytes_is_equal(a->what, b->what) && uuid_is_equal(a->company_id, b->company_id) &&
           uuid_is_equal(a->object_id, b->object_id) && a->until_ms == b->until_ms;
}

static bool is_equal_revision(const struct revision *a, const struct revision *b) {
    return a->lane == b->lane && a->seq == b->seq && a->mark == b->mark;
}

static void assert_equal_told(const struct loss_told *a, const struct loss_told *b) {
    assert(uuid_is_equal(a->message.report_id, b->message.report_id));
    assert(bytes_is_equal(a->message.validator, b->message.validator));
    assert(bytes_is_equal(a->message.failure, b->message.failure));
    assert(a->message.is_complete == b->message.is_complete);
    assert(memcmp(a->seqs, b->seqs, sizeof(a->seqs)) == 0);
    assert(memcmp(a->marks, b->marks, sizeof(a->marks)) == 0);
    assert(a->message.known_count == b->message.known_count);
    for (size_t i = 0; i < a->message.known_count; i++)
        assert(is_equal_revision(&a->message.known[i], &b->message.known[i]));
    assert(a->message.claim_count == b->message.claim_count);
    for (size_t i = 0; i < a->message.claim_count; i++)
        assert(is_equal_claim(&a->message.claims[i], &b->message.claims[i]));
}

// What the database is handed.
static void check_told(const struct loss_told *told) {
    assert(!uuid_is_zero(told->message.report_id) && told->message.validator.len > 0);
    assert(told->message.seqs == told->seqs && told->message.marks == told->marks);
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        assert(told->seqs[lane] > 0 || (told->seqs[lane] == 0 && told->marks[lane] == 0));
    for (size_t i = 0; i < told->message.known_count; i++)
        assert(told->message.known[i].lane < LANE_COUNT && told->message.known[i].seq > 0);
    for (size_t i = 0; i < told->message.claim_count; i++)
        assert(!uuid_is_zero(told->message.claims[i].company_id) &&
               !uuid_is_zero(told->message.claims[i].object_id));
}

static enum status read_request(struct bytes bytes, struct arena *arena, struct loss_told *ret_told) {
    const Latchkey__V1__CheckHistoryRequest *request =
        unpack(&latchkey__v1__check_history_request__descriptor, bytes, arena);
    struct fault fault;
    fault_init(&fault, arena);
    if (!request)
        return STATUS_MALFORMED;
    enum status status = loss_wire_read_request(request, arena, &fault, ret_told);
    assert(status == fault.status);
    return status;
}

static void check_request(struct bytes bytes, struct arena *arena) {
    struct loss_told told, again;
    Latchkey__V1__CheckHistoryRequest written;
    if (read_request(bytes, arena, &told) != STATUS_OK)
        return;
    check_told(&told);
    enum status status = loss_wire_write_request(&told.message, arena, &written);
    assert(status == STATUS_OK);
    status = read_request(message_pack(&written.base, 0, arena), arena, &again);
    assert(status == STATUS_OK);
    assert_equal_told(&told, &again);
}

// ---- the answer ----

// NULL: it is no message, or none of ours.
static const Latchkey__V1__CheckHistoryResponse *read_response(struct bytes bytes, struct arena *arena,
                                                               struct loss_standing *ret_standing) {
    const Latchkey__V1__CheckHistoryResponse *response =
        unpack(&latchkey__v1__check_history_response__descriptor, bytes, arena);
    return response && loss_wire_read_response(response, ret_standing) == STATUS_OK ? response : NULL;
}

static void assert_equal_standing(const struct loss_standing *a, const struct loss_standing *b) {
    assert(a->state == b->state);
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        assert(a->lanes[lane] == b->lanes[lane] && a->is_settled[lane] == b->is_settled[lane] &&
               a->before_seqs[lane] == b->before_seqs[lane] &&
               a->before_marks[lane] == b->before_marks[lane]);
}

static void check_response(struct bytes bytes, struct arena *arena) {
    struct loss_standing standing, again;
    Latchkey__V1__CheckHistoryResponse written;
    const Latchkey__V1__CheckHistoryResponse *response = read_response(bytes, arena, &standing);
    if (!response)
        return;
    // Only these words let one that is fed go on.
    assert(standing.state != LOSS_NONE ||
           response->standing == LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_KEPT);
    assert(standing.state != LOSS_SETTLED ||
           response->standing == LATCHKEY__V1__HISTORY_STANDING__HISTORY_STANDING_SETTLED);
    enum status status = loss_wire_write_response(&standing, arena, &written);
    assert(status == STATUS_OK);
    response = read_response(message_pack(&written.base, 0, arena), arena, &again);
    assert(response);
    assert_equal_standing(&standing, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    if (size > 0 && data[0] == '?')
        check_request(bytes_of(data + 1, size - 1), &arena);
    if (size > 0 && data[0] == '!')
        check_response(bytes_of(data + 1, size - 1), &arena);
    arena_fini(&arena);
    return 0;
}
