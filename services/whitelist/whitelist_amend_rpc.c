// UpdateWhitelistEntry.
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/grpc/etag.h"
#include "common/protobuf/timestamp.h"
#include "common/protobuf/update_mask.h"
#include "services/whitelist/whitelist_entry_store.h"
#include "services/whitelist/whitelist_message_rpc.h"
#include "services/whitelist/whitelist_note.h"
#include "services/whitelist/whitelist_rpc.h"
#include "services/whitelist/whitelist_service.h"

static const char *const fields[WHITELIST_FIELD_COUNT] = {
    [WHITELIST_FIELD_ADDRESS] = "address",   [WHITELIST_FIELD_BITS] = "checking_bits",
    [WHITELIST_FIELD_NOTE] = "note",         [WHITELIST_FIELD_OWNER] = "owner",
    [WHITELIST_FIELD_DISABLED] = "disabled", [WHITELIST_FIELD_EXPIRES_AT] = "expires_at"};

static const Latchkey__V1__WhitelistEntry no_entry = LATCHKEY__V1__WHITELIST_ENTRY__INIT;

// What the request is about, read from it.
struct amendment_request {
    struct uuid draft_id, entry_id;
    const char *etag;
    bool is_forced;
    struct whitelist_amendment amendment;
};

static enum status read_request(const Latchkey__V1__UpdateWhitelistEntryRequest *request, struct fault *fault,
                                struct amendment_request *ret_request) {
    const Latchkey__V1__WhitelistEntry *entry = request->entry ? request->entry : &no_entry;
    bool has_bits = entry->optional_checking_bits_case ==
                    LATCHKEY__V1__WHITELIST_ENTRY__OPTIONAL_CHECKING_BITS_CHECKING_BITS;
    struct whitelist_wish wish = {.address = entry->address,
                                  .bits = whitelist_rpc_read_bits(has_bits, entry->checking_bits),
                                  .note = entry->note,
                                  .owner = entry->owner,
                                  .is_disabled = entry->disabled,
                                  .expires_at_ms = CLOCK_NEVER_MS};
    *ret_request =
        (struct amendment_request){.draft_id = whitelist_rpc_read_draft_id(request->draft_id, fault),
                                   .etag = entry->etag,
                                   .is_forced = request->force};
    if (!typeid_parse(bytes_of_text(entry->entry_id), TYPEID_ENTRY, &ret_request->entry_id))
        fault_add_field(fault, "entry.entry_id",
                        "type an entry's id, such as ent_01h455vb4pex5vsknk084sn02q");
    if (!timestamp_get_ms(entry->expires_at, CLOCK_NEVER_MS, &wish.expires_at_ms))
        fault_add_field(fault, "entry.expires_at", "type a time from the year 1 to 9999");
    ret_request->amendment.wish = wish;
    ret_request->amendment.fields =
        update_mask_parse(request->update_mask, fields, WHITELIST_FIELD_COUNT, fault);
    return fault->status;
}

static enum status check_present(struct app_call *call, const struct amendment_request *request,
                                 const struct whitelist_standing *standing,
                                 const struct whitelist_entry *present) {
    enum status status = etag_check(request->etag, present->version, call->fault);
    if (status == STATUS_OK && uuid_is_zero(request->draft_id))
        status = whitelist_check_editable(&standing->whitelist, call->fault);
    return status;
}

// A draft binds nobody.
static enum status check_left(struct app_call *call, const struct amendment_request *request,
                              const struct whitelist_standing *before,
                              const struct whitelist_standing *after) {
    struct whitelist_asker asker = whitelist_rpc_get_asker(call);
    if (request->is_forced || !uuid_is_zero(request->draft_id))
        return STATUS_OK;
    return whitelist_check_outcome(&before->outcome, &after->outcome, &asker, call->fault);
}

// `entry` is what the update leaves; its version is raised. Nothing new: nothing is written.
static enum status store(struct app_call *call, const struct amendment_request *request,
                         const struct whitelist_standing *before, const struct whitelist_entry *present,
                         struct whitelist_entry *entry, struct whitelist_holder *ret_holder) {
    struct whitelist_standing after;
    if (whitelist_is_same(present, entry))
        return STATUS_OK;
    enum status status = whitelist_store_update_entry(call, request->draft_id, entry, &after, ret_holder);
    if (status == STATUS_OK)
        status = check_left(call, request, before, &after);
    return status == STATUS_OK ? whitelist_note_changed(call, request->draft_id, present, entry) : status;
}

static bool fill_response(Latchkey__V1__UpdateWhitelistEntryResponse *response,
                          const struct whitelist_entry *entry, const struct whitelist_holder *holder,
                          struct arena *arena) {
    struct whitelist_warning *warnings;
    const struct whitelist_holder none = {0};
    size_t count;
    if (!whitelist_list_warnings(&entry->prefix, 1, holder, &none, arena, &warnings, &count))
        return false;
    response->entry = whitelist_message_new_entry(entry, arena);
    response->warnings = whitelist_message_new_warnings(warnings, count, arena);
    response->n_warnings = response->warnings ? count : 0;
    return response->entry && response->warnings;
}

enum status whitelist_rpc_update_entry(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response) {
    Latchkey__V1__UpdateWhitelistEntryResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__UpdateWhitelistEntryResponse);
    struct amendment_request request;
    struct whitelist_standing standing;
    struct whitelist_entry present, entry;
    struct whitelist_holder holder = {0};
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__update_whitelist_entry_response__init(response);

    enum status status =
        read_request((const Latchkey__V1__UpdateWhitelistEntryRequest *)message, call->fault, &request);
    struct whitelist_terms terms = {&whitelist_limits, call->now_ms, request.is_forced};
    if (status == STATUS_OK)
        status = whitelist_store_lock_entry(call, request.draft_id, request.entry_id, &standing, &present);
    if (status == STATUS_OK)
        status = check_present(call, &request, &standing, &present);
    if (status == STATUS_OK)
        status = whitelist_amend(&present, &request.amendment, &terms, call->arena, call->fault, &entry);
    if (status == STATUS_OK)
        status = store(call, &request, &standing, &present, &entry, &holder);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_response(response, &entry, &holder, call->arena) ? STATUS_OK
                                                                 : fault_set_no_memory(call->fault);
}
