// CreateInvitations: what is wrong with one of them is its own result and keeps no other from being made.
// What is needed to judge them is read for all at once, and those that nothing is wrong with are made at
// once: hundred cost as many round trips as one.
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

// What was looked up to judge them by.
struct knowledge {
    struct role_verdicts roles;
    struct db_command emails; // the n-th row is about the n-th item
    struct outbox_room room;
};

// Those that will be made, with the mail of each.
struct making {
    struct invitation *invitations;
    struct outbox_item *mails;
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

// ---- looking up ----

// The roles of all items.
static bool gather_roles(const struct item_list *list, struct arena *arena, struct role_ids *ret_ids) {
    struct role_ids all = {0};
    for (size_t i = 0; i < list->count; i++)
        all.count += list->items[i].draft.roles.count;
    all.ids = ARENA_NEW_ARRAY(arena, struct uuid, all.count);
    all.count = 0;
    for (size_t i = 0; all.ids && i < list->count; i++)
        for (size_t j = 0; j < list->items[i].draft.roles.count; j++)
            all.ids[all.count++] = list->items[i].draft.roles.ids[j];
    *ret_ids = all;
    return all.ids != NULL;
}

// An item that has no address of the right form has the empty one, which is nobody's.
static struct bytes *gather_emails(const struct item_list *list, struct arena *arena) {
    struct bytes *emails = ARENA_NEW_ARRAY(arena, struct bytes, list->count);
    for (size_t i = 0; emails && i < list->count; i++)
        emails[i] = list->items[i].fault.status == STATUS_OK ? bytes_of_text(list->items[i].draft.email.text)
                                                             : BYTES_EMPTY;
    return emails;
}

enum { ROLES, EMAILS, ROOM, LOOK_COUNT };

static enum status look_up(struct app_call *call, const struct item_list *list,
                           struct knowledge *ret_knowledge) {
    struct db_params params[LOOK_COUNT];
    struct role_ids roles;
    struct bytes *emails = gather_emails(list, call->arena);
    if (!emails || !gather_roles(list, call->arena, &roles))
        return fault_set_no_memory(call->fault);
    struct db_command looks[] = {
        [ROLES] = role_store_look_for_many(call, &roles, &params[ROLES]),
        [EMAILS] = invitation_store_look_for_emails(call, emails, list->count, &params[EMAILS]),
        [ROOM] = outbox_look_for_room(call, emails, list->count, &params[ROOM])};
    enum status status = membership_lock(call, looks, LOOK_COUNT);
    if (status != STATUS_OK)
        return status;
    *ret_knowledge = (struct knowledge){.emails = looks[EMAILS], .room = {.rows = looks[ROOM].result}};
    struct role_list present;
    status = role_store_read_list(call, &looks[ROLES], &present);
    if (status != STATUS_OK)
        return status;
    return role_judge_grants(&present, call->caller, call->fault, &ret_knowledge->roles);
}

// ---- judging ----

static bool is_made(const struct item *item) {
    return item->result.result_case == LATCHKEY__V1__CREATE_INVITATION_RESULT__RESULT_INVITATION;
}

// By this very call.
static bool is_invited_already(const struct item_list *list, const struct knowledge *knowledge, size_t i) {
    size_t first = invitation_store_get_first_alike(&knowledge->emails, i);
    for (size_t j = first; j < i; j++)
        if (is_made(&list->items[j]) && invitation_store_get_first_alike(&knowledge->emails, j) == first)
            return true;
    return false;
}

static enum status judge(struct app_call *call, const struct item_list *list, struct knowledge *knowledge,
                         size_t i) {
    const struct invitation_draft *draft = &list->items[i].draft;
    enum status status = list->items[i].fault.status;
    if (status == STATUS_OK)
        status = role_read_verdicts(&draft->roles, &knowledge->roles, call->fault);
    if (status == STATUS_OK)
        status = invitation_store_check_email(call, &knowledge->emails, i, draft->email.text);
    if (status == STATUS_OK && is_invited_already(list, knowledge, i))
        status = invitation_store_tell_pending(call, draft->email.text);
    if (status == STATUS_OK)
        status = outbox_take_place(call, &knowledge->room, i);
    return status;
}

// What is wrong with this one alone; anything else is wrong with the call.
static bool is_refusal(enum status status) {
    return status == STATUS_INVALID || status == STATUS_NOT_FOUND || status == STATUS_ALREADY_EXISTS ||
           status == STATUS_PERMISSION_DENIED || status == STATUS_EXHAUSTED;
}

// With the item's own fault as the call's.
static enum status judge_item(struct app_call *call, const struct item_list *list,
                              struct knowledge *knowledge, size_t i) {
    struct item *item = &list->items[i];
    struct fault *whole = call->fault;
    call->fault = &item->fault;
    enum status status = judge(call, list, knowledge, i);
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

// ---- making ----

static enum status fill_invitation(struct app_call *call, const struct invitation_draft *draft,
                                   struct invitation *invitation) {
    *invitation = (struct invitation){.invitation_id = uuid_new(app_get_clock(call->app)),
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
    return invitation->created_by ? STATUS_OK : fault_set_no_memory(call->fault);
}

static enum status add_to_making(struct app_call *call, struct item *item, struct making *making) {
    struct invitation *invitation = &making->invitations[making->count];
    enum status status = fill_invitation(call, &item->draft, invitation);
    if (status != STATUS_OK)
        return status;
    struct outbox_item *mail = &making->mails[making->count];
    *mail = invitation_mail_of(invitation, call->arena);
    Latchkey__V1__Invitation *message = invitation_message_new(invitation, call->arena);
    if (!mail->detail || !message)
        return fault_set_no_memory(call->fault);
    making->count++;
    item->result.result_case = LATCHKEY__V1__CREATE_INVITATION_RESULT__RESULT_INVITATION;
    item->result.invitation = message;
    return audit_note(call, "invitation.created", message->invitation_id, NULL, &message->base);
}

static enum status make(struct app_call *call, const struct making *making) {
    struct db_params params;
    if (making->count == 0)
        return STATUS_OK;
    struct db_command mails = outbox_command_adding_many(call, making->mails, making->count, &params);
    if (!mails.params)
        return fault_set_no_memory(call->fault);
    return invitation_store_create(call, making->invitations, making->count, mails);
}

static enum status judge_and_make(struct app_call *call, const struct item_list *list,
                                  struct knowledge *knowledge) {
    struct making making = {.invitations = ARENA_NEW_ARRAY(call->arena, struct invitation, list->count),
                            .mails = ARENA_NEW_ARRAY(call->arena, struct outbox_item, list->count)};
    enum status status = STATUS_OK;
    if (!making.invitations || !making.mails)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < list->count && status == STATUS_OK; i++) {
        struct item *item = &list->items[i];
        status = judge_item(call, list, knowledge, i);
        if (status == STATUS_OK &&
            item->result.result_case == LATCHKEY__V1__CREATE_INVITATION_RESULT__RESULT__NOT_SET)
            status = add_to_making(call, item, &making);
    }
    return status == STATUS_OK ? make(call, &making) : status;
}

enum status invitation_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                                  ProtobufCMessage **ret_response) {
    Latchkey__V1__CreateInvitationsResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__CreateInvitationsResponse);
    struct item_list list = {0};
    struct knowledge knowledge;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__create_invitations_response__init(response);
    enum status status = read_items(call, (const Latchkey__V1__CreateInvitationsRequest *)message, &list);
    if (status == STATUS_OK)
        status = look_up(call, &list, &knowledge);
    if (status == STATUS_OK)
        status = judge_and_make(call, &list, &knowledge);
    if (status != STATUS_OK)
        return status;
    response->results = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__CreateInvitationResult *, list.count);
    if (!response->results)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < list.count; i++)
        response->results[response->n_results++] = &list.items[i].result;
    *ret_response = &response->base;
    return STATUS_OK;
}
