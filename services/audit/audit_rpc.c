// ListAuditEvents. verify_rpc.c has the other one.
#include "services/audit/audit_rpc.h"

#include "common/app/paging.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/protobuf/timestamp.h"
#include "services/audit/audit_message_rpc.h"
#include "services/audit/audit_store.h"

#define TIME_WANTED "type a time from the year 1 to 9999"
#define CURSOR_LENGTH 8
#define ACTION_MAX 100
#define OBJECT_ID_MAX 100

// A page ends early where its events are long: clients take 4 MiB.
#define PAGE_BYTES_MAX (2 * 1024 * 1024)

static void read_id(const char *text, const char *prefix, const char *field, const char *wanted,
                    struct fault *fault, struct uuid *ret_id) {
    if (*text && !typeid_parse(bytes_of_text(text), prefix, ret_id))
        fault_add_field(fault, field, "%s", wanted);
}

static void read_times(const Latchkey__V1__ListAuditEventsRequest *request, struct fault *fault,
                       struct audit_filter *filter) {
    if (!timestamp_get_ms(request->since, CLOCK_ALWAYS_MS, &filter->since_ms))
        fault_add_field(fault, "since", TIME_WANTED);
    if (!timestamp_get_ms(request->until, CLOCK_NEVER_MS, &filter->until_ms))
        fault_add_field(fault, "until", TIME_WANTED);
}

// "token.created", or "token.*" for all on one kind of object.
static void read_action(struct bytes action, struct fault *fault, struct audit_filter *filter) {
    struct bytes rest = action, kind = bytes_split(&rest, '.');
    if (action.len == 0)
        return;
    if (kind.len == 0 || rest.len == 0 || action.len > ACTION_MAX) {
        fault_add_field(fault, "action",
                        "type an action such as token.created, or token.* for all on tokens");
        return;
    }
    if (bytes_is_text(rest, "*"))
        filter->kind = kind;
    else
        filter->action = action;
}

static void read_filter(const Latchkey__V1__ListAuditEventsRequest *request, struct fault *fault,
                        struct audit_filter *ret_filter) {
    *ret_filter = (struct audit_filter){.object_id = bytes_of_text(request->object_id)};
    read_times(request, fault, ret_filter);
    read_id(request->member_id, TYPEID_MEMBER, "member_id",
            "type a member's id, such as mbr_01h455vb4pex5vsknk084sn02q", fault, &ret_filter->member_id);
    read_id(request->token_id, TYPEID_TOKEN, "token_id",
            "type a token's id, such as tok_01h455vb4pex5vsknk084sn02q", fault, &ret_filter->token_id);
    read_action(bytes_of_text(request->action), fault, ret_filter);
    if (ret_filter->object_id.len > OBJECT_ID_MAX)
        fault_add_field(fault, "object_id", "type an object's id, such as tok_01h455vb4pex5vsknk084sn02q");
}

static int64_t read_cursor(struct bytes cursor) {
    struct cursor bytes = cursor_of(cursor);
    return cursor.len > 0 ? (int64_t)cursor_read_u64(&bytes) : 0;
}

static char *make_token(const struct app_call *call, const ProtobufCMessage *request, int64_t number) {
    uint8_t cursor[CURSOR_LENGTH];
    for (size_t i = 0; i < CURSOR_LENGTH; i++)
        cursor[i] = (uint8_t)((uint64_t)number >> (8 * (CURSOR_LENGTH - 1 - i)));
    return paging_make_token(call, request, bytes_of(cursor, CURSOR_LENGTH));
}

static size_t measure(const struct audit_record *record) {
    return record->event.before.len + record->event.after.len + record->person.before.len +
           record->person.after.len + record->person.user_agent.len + 1000;
}

static bool fill_page(Latchkey__V1__ListAuditEventsResponse *response, const ProtobufCMessage *request,
                      const struct audit_rows *rows, int32_t page_size, const struct app_call *call) {
    size_t bytes = 0;
    struct audit_record record = {0};
    response->events = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__AuditEvent *, (size_t)rows->count);
    if (!response->events)
        return false;
    int row = 0;
    for (; row < rows->count && row < page_size && bytes < PAGE_BYTES_MAX; row++) {
        audit_rows_get(rows, row, &record);
        bytes += measure(&record);
        response->events[row] = audit_message_new(&record, call->arena);
        if (!response->events[row])
            return false;
    }
    response->n_events = (size_t)row;
    if (row < rows->count)
        response->next_page_token = make_token(call, request, record.number);
    return response->next_page_token != NULL;
}

enum status audit_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                           ProtobufCMessage **ret_response) {
    const Latchkey__V1__ListAuditEventsRequest *request =
        (const Latchkey__V1__ListAuditEventsRequest *)message;
    Latchkey__V1__ListAuditEventsResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ListAuditEventsResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__list_audit_events_response__init(response);

    struct page page;
    struct audit_filter filter;
    struct audit_rows rows;
    paging_parse(call, message, CURSOR_LENGTH, &page);
    read_filter(request, call->fault, &filter);
    enum status status = call->fault->status;
    if (status == STATUS_OK) // one more tells whether there is another page
        status = audit_store_list(call, &filter, read_cursor(page.cursor), page.size + 1, &rows);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_page(response, message, &rows, page.size, call) ? STATUS_OK
                                                                : fault_set_no_memory(call->fault);
}
