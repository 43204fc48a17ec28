// PreviewWhitelist.
#include "services/whitelist/whitelist_message_rpc.h"
#include "services/whitelist/whitelist_preview_store.h"
#include "services/whitelist/whitelist_rpc.h"
#include "services/whitelist/whitelist_service.h"

static enum status read_trial(struct app_call *call, const Latchkey__V1__PreviewWhitelistRequest *request,
                              struct whitelist_trial *ret_trial) {
    const Latchkey__V1__Whitelist *wish = request->whitelist;
    struct fault *fault = call->fault;
    *ret_trial = (struct whitelist_trial){.draft_id = whitelist_rpc_read_draft_id(request->draft_id, fault),
                                          .removed_count = request->n_entries_removed};
    if (*request->draft_id && (request->n_entries_removed > 0 || wish))
        fault_add_field(fault, "draft_id",
                        "name a draft alone, or entries_removed and whitelist of the live list");
    if (request->n_entries_removed > 0)
        whitelist_check_count(request->n_entries_removed, &whitelist_limits, "entries_removed", fault);
    if (wish)
        ret_trial->scope = whitelist_rpc_read_scope(wish, fault);
    ret_trial->removed = whitelist_rpc_read_entry_ids(request->entries_removed, request->n_entries_removed,
                                                      "entries_removed", call);
    return fault->status;
}

static bool fill_preview(Latchkey__V1__PreviewWhitelistResponse *response,
                         const struct whitelist_preview *preview, struct arena *arena) {
    response->refused_logins = whitelist_message_new_refusals(&preview->logins, arena);
    response->refused_tokens = whitelist_message_new_refusals(&preview->tokens, arena);
    if (!response->refused_logins || !response->refused_tokens)
        return false;
    response->n_refused_logins = preview->logins.count;
    response->n_refused_tokens = preview->tokens.count;
    response->refused_login_count = (uint64_t)preview->logins.total;
    response->refused_token_count = (uint64_t)preview->tokens.total;
    return true;
}

// A list that would be off refuses nobody.
static enum status preview(struct app_call *call, const Latchkey__V1__PreviewWhitelistRequest *request,
                           Latchkey__V1__PreviewWhitelistResponse *response) {
    struct whitelist_trial trial;
    struct whitelist_preview found;
    struct whitelist_asker asker = whitelist_rpc_get_asker(call);
    enum status status = read_trial(call, request, &trial);
    if (status == STATUS_OK)
        status = whitelist_store_preview(call, &trial, &found);
    if (status != STATUS_OK || (request->whitelist && !request->whitelist->enabled))
        return status;
    struct whitelist_outcome outcome = found.standing.outcome;
    outcome.is_enabled = true;
    if (trial.scope != WHITELIST_SCOPE_NONE)
        outcome.scope = trial.scope;
    response->locks_out_caller = whitelist_refuses(&outcome, &asker);
    return fill_preview(response, &found, call->arena) ? STATUS_OK : fault_set_no_memory(call->fault);
}

enum status whitelist_rpc_preview(struct app_call *call, const ProtobufCMessage *message,
                                  ProtobufCMessage **ret_response) {
    Latchkey__V1__PreviewWhitelistResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__PreviewWhitelistResponse);
    char text[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(&call->address, text);
    char *client_ip = arena_copy_text(call->arena, text);
    if (!response || !client_ip)
        return fault_set_no_memory(call->fault);
    latchkey__v1__preview_whitelist_response__init(response);
    response->client_ip = client_ip;
    *ret_response = &response->base;
    return preview(call, (const Latchkey__V1__PreviewWhitelistRequest *)message, response);
}
