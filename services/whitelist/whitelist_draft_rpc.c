// Drafts: begun, got, thrown away, published, confirmed.
#include "common/app/app.h"
#include "services/whitelist/whitelist_draft_store.h"
#include "services/whitelist/whitelist_message_rpc.h"
#include "services/whitelist/whitelist_note.h"
#include "services/whitelist/whitelist_rpc.h"
#include "services/whitelist/whitelist_service.h"

// ---- CreateWhitelistDraft ----

static enum status check_limits(struct app_call *call, bool is_empty) {
    struct whitelist_drafts present;
    int64_t unswept;
    enum status status = whitelist_store_lock_drafts(call, &present, &unswept);
    if (status == STATUS_OK)
        status = whitelist_check_draft_count(present.drafts, present.count, &whitelist_limits, call->fault);
    if (status == STATUS_OK)
        status = whitelist_check_unswept((int64_t)present.count + unswept, &whitelist_limits, call->fault);
    if (status != STATUS_OK || is_empty)
        return status;
    return whitelist_check_draft_room(present.whitelist.entry_count, 0, &whitelist_limits, call->fault);
}

enum status whitelist_rpc_create_draft(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response) {
    const Latchkey__V1__CreateWhitelistDraftRequest *request =
        (const Latchkey__V1__CreateWhitelistDraftRequest *)message;
    Latchkey__V1__CreateWhitelistDraftResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__CreateWhitelistDraftResponse);
    struct whitelist_beginning beginning = {.draft_id = uuid_new(app_get_clock(call->app)),
                                            .created_by = app_call_get_author(call),
                                            .is_empty = request->empty};
    struct whitelist_draft draft;
    if (!response || !beginning.created_by)
        return fault_set_no_memory(call->fault);
    latchkey__v1__create_whitelist_draft_response__init(response);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = check_limits(call, request->empty);
    if (status == STATUS_OK)
        status = whitelist_store_begin_draft(call, &beginning, &draft);
    if (status == STATUS_OK)
        status = whitelist_note_begun(call, &draft);
    if (status != STATUS_OK)
        return status;
    response->draft = whitelist_message_new_draft(&draft, call->arena);
    *ret_response = &response->base;
    return response->draft ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- GetWhitelistDraft ----

enum status whitelist_rpc_get_draft(struct app_call *call, const ProtobufCMessage *message,
                                    ProtobufCMessage **ret_response) {
    const Latchkey__V1__GetWhitelistDraftRequest *request =
        (const Latchkey__V1__GetWhitelistDraftRequest *)message;
    Latchkey__V1__GetWhitelistDraftResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__GetWhitelistDraftResponse);
    struct whitelist_draft draft;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__get_whitelist_draft_response__init(response);
    struct uuid draft_id = whitelist_rpc_read_draft(request->draft_id, call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = whitelist_store_get_draft(call, draft_id, &draft);
    if (status != STATUS_OK)
        return status;
    response->draft = whitelist_message_new_draft(&draft, call->arena);
    *ret_response = &response->base;
    return response->draft ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- DiscardWhitelistDraft ----

enum status whitelist_rpc_discard_draft(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response) {
    const Latchkey__V1__DiscardWhitelistDraftRequest *request =
        (const Latchkey__V1__DiscardWhitelistDraftRequest *)message;
    Latchkey__V1__DiscardWhitelistDraftResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__DiscardWhitelistDraftResponse);
    bool was_there = false;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__discard_whitelist_draft_response__init(response);
    struct uuid draft_id = whitelist_rpc_read_draft(request->draft_id, call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = whitelist_store_discard_draft(call, draft_id, &was_there);
    if (status == STATUS_OK && was_there)
        status = whitelist_note_discarded(call, draft_id);
    *ret_response = &response->base;
    return status;
}

// ---- PublishWhitelistDraft ----

static enum status check_candidate(struct app_call *call, bool is_forced,
                                   const struct whitelist_candidate *candidate) {
    struct whitelist_asker asker = whitelist_rpc_get_asker(call);
    enum status status = whitelist_check_publishable(&candidate->live.whitelist, call->fault);
    if (status != STATUS_OK || is_forced)
        return status;
    if (candidate->draft.is_outdated)
        return fault_set(
            call->fault, STATUS_ABORTED, "DRAFT_OUTDATED",
            "the live list has changed since the draft was begun, and publishing would undo that; "
            "bring the draft up to date, or set force");
    return whitelist_check_outcome(&candidate->live.outcome, &candidate->published.outcome, &asker,
                                   call->fault);
}

static enum status publish(struct app_call *call, const Latchkey__V1__PublishWhitelistDraftRequest *request,
                           struct whitelist *ret_whitelist) {
    struct whitelist_candidate candidate;
    struct uuid draft_id = whitelist_rpc_read_draft(request->draft_id, call->fault);
    int64_t confirm_by_ms = whitelist_rpc_read_confirm_by_ms(request->confirm_within, call);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = whitelist_store_lock_draft(call, draft_id, &candidate);
    if (status == STATUS_OK)
        status = check_candidate(call, request->force, &candidate);
    if (status == STATUS_OK)
        status = whitelist_store_publish(call, draft_id, confirm_by_ms, ret_whitelist);
    if (status != STATUS_OK)
        return status;
    return whitelist_note_published(call, draft_id, &candidate.live.whitelist, ret_whitelist);
}

enum status whitelist_rpc_publish_draft(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response) {
    Latchkey__V1__PublishWhitelistDraftResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__PublishWhitelistDraftResponse);
    struct whitelist whitelist;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__publish_whitelist_draft_response__init(response);
    enum status status =
        publish(call, (const Latchkey__V1__PublishWhitelistDraftRequest *)message, &whitelist);
    if (status != STATUS_OK)
        return status;
    response->whitelist = whitelist_message_new(&whitelist, call->arena);
    *ret_response = &response->base;
    return response->whitelist ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- ConfirmWhitelist ----

static enum status confirm(struct app_call *call, struct whitelist *ret_whitelist) {
    struct whitelist_asker asker = whitelist_rpc_get_asker(call);
    struct whitelist_standing standing;
    enum status status = whitelist_store_lock(call, &standing);
    if (status == STATUS_OK)
        status = whitelist_check_confirmable(&standing.whitelist, standing.outcome.caller_until_ms, &asker,
                                             call->fault);
    if (status == STATUS_OK)
        status = whitelist_store_confirm(call, ret_whitelist);
    if (status != STATUS_OK)
        return status;
    return whitelist_note(call, "whitelist.confirmed", &standing.whitelist, ret_whitelist);
}

enum status whitelist_rpc_confirm(struct app_call *call, const ProtobufCMessage *message,
                                  ProtobufCMessage **ret_response) {
    (void)message; // the caller's company has one list that may wait
    Latchkey__V1__ConfirmWhitelistResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ConfirmWhitelistResponse);
    struct whitelist whitelist;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__confirm_whitelist_response__init(response);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = confirm(call, &whitelist);
    if (status != STATUS_OK)
        return status;
    response->whitelist = whitelist_message_new(&whitelist, call->arena);
    *ret_response = &response->base;
    return response->whitelist ? STATUS_OK : fault_set_no_memory(call->fault);
}
