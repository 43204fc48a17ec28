// CreateInvitations: what is wrong with one of them is its own result and keeps no other from being made. All
// is checked first, then the roles of all are read at once, then one after the other is made.
#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/grpc/status_details.h"
#include "services/invitation/invitation_mail.h"
#include "services/invitation/invitation_message_rpc.h"
#include "services/invitation/invitation_rpc.h"
#include "services/invitation/invitation_rules.h"
#include "services/invitation/invitation_settings.h"
#include "services/invitation/invitation_store.h"
#include "services/invitation/membership.h"
#include "services/invitation/role_store.h"

// One of them on its way.
struct item {
    struct fault fault; // its own
    struct invitation_draft draft;
    Latchkey__V1__CreateInvitationResult result;
};

struct item_list {
    struct item *items;
    size_t count;
};

static void check_item(struct item *item, const Latchkey__V1__NewInvitation *wanted, struct arena *arena) {
    struct invitation_wish wish = {wanted->email, wanted->role_ids, wanted->n_role_ids, wanted->allowed_ips,
                                   wanted->n_allowed_ips};
    latchkey__v1__create_invitation_result__init(&item->result);
    fault_init(&item->fault, arena);
    enum status status = invitation_check_wish(&wish, arena, &item->fault, &item->draft);
    (void)status; // stands in the item's fault
}

static enum status read_items(struct app_call *call, const Latchkey__V1__CreateInvitationsRequest *request,
                              struct item_list *ret_list) {
    size_t count = request->n_invitations;
    if (count == 0 || count > INVITATIONS_PER_CALL_MAX)
        fault_add_field(call->fault, "invitations", "type 1 to %d invitations, not %zu",
                        INVITATIONS_PER_CALL_MAX, count);
    if (call->fault->status != STATUS_OK)
        return call->fault->status;
    struct item *items = ARENA_NEW_ARRAY(call->arena, struct item, count);
    if (!items)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < count; i++)
        check_item(&items[i], request->invitations[i], call->arena);
    *ret_list = (struct item_list){items, count};
    return STATUS_OK;
}

// The roles of all items, so that they are read once.
static enum status find_roles(struct app_call *call, const struct item_list *list,
                              struct role_list *ret_roles) {
    struct role_ids all = {0};
    for (size_t i = 0; i < list->count; i++)
        all.count += list->items[i].draft.roles.count;
    all.ids = ARENA_NEW_ARRAY(call->arena, struct uuid, all.count);
    if (!all.ids)
        return fault_set_no_memory(call->fault);
    all.count = 0;
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < list->items[i].draft.roles.count; j++)
            all.ids[all.count++] = list->items[i].draft.roles.ids[j];
    return role_store_find_many(call, &all, ret_roles);
}

static enum status add_invitation(struct app_call *call, const struct invitation *invitation,
                                  struct item *item) {
    enum status status = outbox_check_limits(call, invitation->email);
    if (status == STATUS_OK)
        status = invitation_store_create(call, invitation);
    if (status != STATUS_OK)
        return status;
    status = invitation_mail_add(call, invitation->invitation_id, invitation->generation, invitation->email);
    if (status == STATUS_EXHAUSTED) // by another call at this very moment: the whole is begun again
        return STATUS_ABORTED;
    if (status != STATUS_OK)
        return status;
    Latchkey__V1__Invitation *message = invitation_message_new(invitation, call->arena);
    if (!message)
        return fault_set_no_memory(call->fault);
    item->result.result_case = LATCHKEY__V1__CREATE_INVITATION_RESULT__RESULT_INVITATION;
    item->result.invitation = message;
    return audit_note(call, "invitation.created", message->invitation_id, NULL, &message->base);
}

// With the item's own fault as the call's.
static enum status invite(struct app_call *call, const struct role_list *roles, struct item *item) {
    const struct invitation_draft *draft = &item->draft;
    enum status status = item->fault.status;
    if (status == STATUS_OK)
        status = role_check_grant(&draft->roles, roles, call->caller, call->arena, call->fault);
    if (status != STATUS_OK)
        return status;
    struct invitation invitation = {.invitation_id = uuid_new(app_get_clock(call->app)),
                                    .email = draft->email.text,
                                    .role_ids = draft->roles.ids,
                                    .role_count = draft->roles.count,
                                    .ips = draft->ips,
                                    .state = INVITATION_PENDING,
                                    .generation = 1,
                                    .delivery = 'q',
                                    .delivery_detail = "",
                                    .expires_at_ms = call->now_ms + invitation_settings.lifetime_ms,
                                    .resent_at_ms = CLOCK_ALWAYS_MS,
                                    .accepted_at_ms = CLOCK_ALWAYS_MS,
                                    .created_at_ms = call->now_ms,
                                    .created_by = app_call_get_author(call)};
    return invitation.created_by ? add_invitation(call, &invitation, item) : fault_set_no_memory(call->fault);
}

// What is wrong with this one alone; anything else is wrong with the call.
static bool is_refusal(enum status status) {
    return status == STATUS_INVALID || status == STATUS_NOT_FOUND || status == STATUS_ALREADY_EXISTS ||
           status == STATUS_PERMISSION_DENIED || status == STATUS_EXHAUSTED;
}

static enum status make_item(struct app_call *call, const struct role_list *roles, struct item *item) {
    struct fault *whole = call->fault;
    call->fault = &item->fault;
    enum status status = invite(call, roles, item);
    call->fault = whole;
    if (status == STATUS_OK)
        return STATUS_OK;
    if (!is_refusal(status)) {
        *whole = item->fault;
        return status;
    }
    item->result.result_case = LATCHKEY__V1__CREATE_INVITATION_RESULT__RESULT_ERROR;
    item->result.error = (Google__Rpc__Status *)status_details_new_message(&item->fault, call->arena);
    return item->result.error ? STATUS_OK : fault_set_no_memory(whole);
}

enum status invitation_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                                  ProtobufCMessage **ret_response) {
    Latchkey__V1__CreateInvitationsResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__CreateInvitationsResponse);
    struct item_list list = {0};
    struct role_list roles;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__create_invitations_response__init(response);
    enum status status = read_items(call, (const Latchkey__V1__CreateInvitationsRequest *)message, &list);
    if (status == STATUS_OK)
        status = membership_lock(call, NULL, 0);
    if (status == STATUS_OK)
        status = find_roles(call, &list, &roles);
    if (status != STATUS_OK)
        return status;
    response->results = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__CreateInvitationResult *, list.count);
    if (!response->results)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < list.count && status == STATUS_OK; i++) {
        status = make_item(call, &roles, &list.items[i]);
        response->results[response->n_results++] = &list.items[i].result;
    }
    *ret_response = &response->base;
    return status;
}
