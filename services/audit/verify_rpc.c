// VerifyAuditLog: the chain is walked in batches, as far as half of the call's time goes.
#include "common/app/app.h"
#include "common/base/typeid.h"
#include "common/protobuf/field.h"
#include "latchkey/v1/audit.pb-c.h"
#include "services/audit/audit_rpc.h"
#include "services/audit/audit_store.h"
#include "services/audit/audit_walk.h"

#define KNOWN_HEADS_MAX 10000
#define BATCH_EVENTS 500
#define WALK_TIME_MAX_NS UINT64_C(10000000000)

struct question {
    int64_t from;
    int64_t limit; // events; INT64_MAX = any number
    bool has_previous;
    struct digest previous;
    struct audit_head *known;
    size_t known_count;
};

// ---- reading the request ----

static bool read_hash(ProtobufCBinaryData hash, struct digest *ret_digest) {
    if (hash.len != DIGEST_LENGTH)
        return false;
    memcpy(ret_digest->bytes, hash.data, DIGEST_LENGTH);
    return true;
}

static void read_known_head(const Latchkey__V1__AuditHead *head, size_t i, struct fault *fault,
                            struct question *question) {
    struct audit_head *known = &question->known[i];
    known->number = (int64_t)head->sequence;
    if (known->number < 1)
        fault_add_field(fault, fault_path(fault, "known_heads[%zu].sequence", i),
                        "type the number of an event, 1 or more");
    else if (i > 0 && known->number < known[-1].number)
        fault_add_field(fault, fault_path(fault, "known_heads[%zu].sequence", i),
                        "list the heads in the order of their numbers");
    if (!read_hash(head->hash, &known->hash))
        fault_add_field(fault, fault_path(fault, "known_heads[%zu].hash", i),
                        "give the 32 bytes of a SHA-256");
}

static enum status read_known_heads(const Latchkey__V1__VerifyAuditLogRequest *request, struct app_call *call,
                                    struct question *question) {
    if (request->n_known_heads > KNOWN_HEADS_MAX) {
        fault_add_field(call->fault, "known_heads", "give at most %d heads in a call", KNOWN_HEADS_MAX);
        return call->fault->status;
    }
    question->known_count = request->n_known_heads;
    question->known = ARENA_NEW_ARRAY(call->arena, struct audit_head, question->known_count);
    if (!question->known)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < question->known_count; i++)
        read_known_head(request->known_heads[i], i, call->fault, question);
    return call->fault->status;
}

static enum status read_question(const Latchkey__V1__VerifyAuditLogRequest *request, struct app_call *call,
                                 struct question *ret_question) {
    *ret_question = (struct question){.from = request->from_sequence ? (int64_t)request->from_sequence : 1,
                                      .limit = request->max_events ? request->max_events : INT64_MAX,
                                      .has_previous = request->previous_hash.len > 0};
    if (ret_question->from < 1)
        fault_add_field(call->fault, "from_sequence", "type the number of an event, or 0 for the first");
    if (ret_question->limit < 0)
        fault_add_field(call->fault, "max_events",
                        "type a number of events, or 0 for as many as time allows");
    if (ret_question->has_previous && !read_hash(request->previous_hash, &ret_question->previous))
        fault_add_field(call->fault, "previous_hash", "give the 32 bytes of a SHA-256, or leave it empty");
    return read_known_heads(request, call, ret_question);
}

// ---- walking ----

// The hash before the first event: as the reader kept it, or as the database has it. False: it has none.
static enum status find_previous(struct app_call *call, struct question *question, bool *ret_is_there) {
    struct audit_rows rows;
    struct audit_record record;
    *ret_is_there = true;
    if (question->has_previous || question->from == 1)
        return STATUS_OK;
    enum status status = audit_store_read(call, question->from - 1, question->from - 1, 1, &rows);
    if (status != STATUS_OK)
        return status;
    *ret_is_there = rows.count == 1;
    if (rows.count == 1) {
        audit_rows_get(&rows, 0, &record);
        question->previous = record.hash;
    }
    return STATUS_OK;
}

static enum status walk_batch(struct app_call *call, struct audit_walk *walk, int64_t to, int64_t limit) {
    struct audit_rows rows;
    struct audit_record record;
    int32_t batch = limit < BATCH_EVENTS ? (int32_t)limit : BATCH_EVENTS;
    enum status status = audit_store_read(call, walk->next_number, to, batch, &rows);
    if (status != STATUS_OK)
        return status;
    if (rows.count == 0)
        audit_walk_miss(walk);
    for (int row = 0; row < rows.count && !walk->is_broken; row++) {
        audit_rows_get(&rows, row, &record);
        status = audit_walk_feed(walk, &record);
        if (status != STATUS_OK)
            return fault_set_no_memory(call->fault);
    }
    db_drop_results(call->transaction);
    return STATUS_OK;
}

static bool has_time(const struct app_call *call) {
    uint64_t now_ns = clock_get_monotonic_ns(app_get_clock(call->app));
    uint64_t half_ns = (call->deadline_ns - call->timer_ns) / 2;
    return now_ns - call->timer_ns < (half_ns < WALK_TIME_MAX_NS ? half_ns : WALK_TIME_MAX_NS);
}

// One batch at least, so that whoever goes on where the answer says gets on.
static enum status walk_to(struct app_call *call, struct audit_walk *walk, const struct audit_head *head,
                           int64_t limit) {
    enum status status = STATUS_OK;
    bool goes_on = true;
    while (status == STATUS_OK && goes_on && !walk->is_broken && walk->next_number <= head->number) {
        status = walk_batch(call, walk, head->number, limit - walk->checked);
        goes_on = walk->checked < limit && has_time(call);
    }
    return status;
}

// ---- answering ----

static ProtobufCBinaryData copy_hash(const struct digest *hash, struct arena *arena) {
    char *copy = arena_copy_bytes(arena, bytes_of(hash->bytes, DIGEST_LENGTH));
    return (ProtobufCBinaryData){copy ? DIGEST_LENGTH : 0, (uint8_t *)copy};
}

static bool fill_break(Latchkey__V1__VerifyAuditLogResponse *response, const struct audit_walk *walk,
                       struct arena *arena) {
    response->broken_sequence = (uint64_t)walk->broken_number;
    response->detail = (char *)walk->detail;
    if (!uuid_is_zero(walk->broken_event))
        response->broken_event_id =
            arena_copy_text(arena, typeid_of(TYPEID_AUDIT_EVENT, walk->broken_event).text);
    return response->broken_event_id != NULL;
}

static enum status fill(Latchkey__V1__VerifyAuditLogResponse *response, const struct audit_walk *walk,
                        const struct audit_head *head, struct app_call *call) {
    bool is_complete = true;
    response->events_checked = (uint64_t)walk->checked;
    response->head_sequence = (uint64_t)head->number;
    response->head_hash = copy_hash(&head->hash, call->arena);
    if (walk->is_broken) {
        is_complete = fill_break(response, walk, call->arena);
    } else if (walk->next_number <= head->number) {
        response->next_sequence = (uint64_t)walk->next_number;
        response->next_previous_hash = copy_hash(&walk->previous, call->arena);
        is_complete = response->next_previous_hash.data != NULL;
    } else {
        response->intact = true;
    }
    return is_complete && response->head_hash.data ? STATUS_OK : fault_set_no_memory(call->fault);
}

static enum status verify(struct app_call *call, struct question *question,
                          Latchkey__V1__VerifyAuditLogResponse *response) {
    struct audit_head head;
    struct audit_walk walk;
    int64_t last_number;
    bool has_previous;
    enum status status = audit_store_get_head(call, &head, &last_number);
    if (status == STATUS_OK)
        status = find_previous(call, question, &has_previous);
    if (status != STATUS_OK)
        return status;
    audit_walk_init(&walk, has_previous ? question->from : question->from - 1, &question->previous,
                    question->known, question->known_count);
    if (!has_previous)
        audit_walk_miss(&walk);
    status = walk_to(call, &walk, &head, question->limit);
    if (status == STATUS_OK && !walk.is_broken && walk.next_number > head.number)
        audit_walk_finish(&walk, &head, last_number);
    if (status == STATUS_OK)
        status = fill(response, &walk, &head, call);
    audit_walk_fini(&walk);
    return status;
}

enum status audit_rpc_verify(struct app_call *call, const ProtobufCMessage *message,
                             ProtobufCMessage **ret_response) {
    Latchkey__V1__VerifyAuditLogResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__VerifyAuditLogResponse);
    struct question question;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__verify_audit_log_response__init(response);
    enum status status = read_question((const Latchkey__V1__VerifyAuditLogRequest *)message, call, &question);
    if (status == STATUS_OK)
        status = verify(call, &question, response);
    *ret_response = &response->base;
    return status;
}
