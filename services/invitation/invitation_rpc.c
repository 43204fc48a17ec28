#include "services/invitation/invitation_rpc.h"

#include "common/app/audit.h"
#include "common/app/paging.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "services/invitation/invitation_mail.h"
#include "services/invitation/invitation_message_rpc.h"
#include "services/invitation/invitation_settings.h"
#include "services/invitation/invitation_store.h"
#include "services/invitation/membership.h"
#include "services/invitation/role_store.h"

static struct uuid read_id(const char *text, struct fault *fault) {
    struct uuid invitation_id = {{0}};
    if (!typeid_parse(bytes_of_text(text), TYPEID_INVITATION, &invitation_id))
        fault_add_field(fault, "invitation_id",
                        "type an invitation's id, such as inv_01h455vb4pex5vsknk084sn02q");
    return invitation_id;
}

// ---- GetInvitation ----

enum status invitation_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                               ProtobufCMessage **ret_response) {
    const Latchkey__V1__GetInvitationRequest *request = (const Latchkey__V1__GetInvitationRequest *)message;
    Latchkey__V1__GetInvitationResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__GetInvitationResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__get_invitation_response__init(response);
    struct invitation *invitation;
    struct uuid invitation_id = read_id(request->invitation_id, call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = invitation_store_find(call, invitation_id, &invitation);
    if (status != STATUS_OK)
        return status;
    response->invitation = invitation_message_new(invitation, call->arena);
    *ret_response = &response->base;
    return response->invitation ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- ListInvitations ----

static enum invitation_state read_state(const Latchkey__V1__ListInvitationsRequest *request,
                                        struct fault *fault) {
    int state = (int)request->state; // an open enum: a peer may send any number
    if (state < INVITATION_ANY || state >= INVITATION_STATE_COUNT)
        fault_add_field(fault, "state", "type one of the states of an invitation, or leave it unset for all");
    return (enum invitation_state)state;
}

static bool fill_list(Latchkey__V1__ListInvitationsResponse *response,
                      const Latchkey__V1__ListInvitationsRequest *request, const struct invitation_list *list,
                      struct app_call *call) {
    response->invitations = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__Invitation *, list->count);
    for (size_t i = 0; response->invitations && i < list->count; i++) {
        response->invitations[i] = invitation_message_new(&list->invitations[i], call->arena);
        if (!response->invitations[i])
            return false;
    }
    response->n_invitations = list->count;
    if (list->has_more)
        response->next_page_token =
            paging_make_id_token(call, &request->base, list->invitations[list->count - 1].invitation_id);
    return response->invitations && response->next_page_token;
}

enum status invitation_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                                ProtobufCMessage **ret_response) {
    const Latchkey__V1__ListInvitationsRequest *request =
        (const Latchkey__V1__ListInvitationsRequest *)message;
    Latchkey__V1__ListInvitationsResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ListInvitationsResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__list_invitations_response__init(response);
    struct id_page page;
    struct invitation_list list;
    paging_parse_id(call, message, &page);
    enum invitation_state state = read_state(request, call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = invitation_store_list(call, state, page.after, page.size, &list);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_list(response, request, &list, call) ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- changing one ----

// An invitation under its lock, and where the event leads.
struct change {
    struct invitation *before;
    struct invitation after; // so far only its state differs
};

static enum status begin_change(struct app_call *call, struct invitation *before, enum invitation_event event,
                                struct change *ret_change) {
    *ret_change = (struct change){before, *before};
    return invitation_move(before->state, event, call->fault, &ret_change->after.state);
}

// Notes the change, and returns the invitation after it; NULL when out of memory.
static Latchkey__V1__Invitation *end_change(struct app_call *call, const struct change *change,
                                            const char *action) {
    Latchkey__V1__Invitation *before = invitation_message_new(change->before, call->arena);
    Latchkey__V1__Invitation *after = invitation_message_new(&change->after, call->arena);
    if (!before || !after ||
        audit_note(call, action, after->invitation_id, &before->base, &after->base) != STATUS_OK)
        return NULL;
    return after;
}

// ---- ResendInvitation ----

static enum status check_interval(const struct app_call *call, const struct invitation *invitation) {
    if (invitation->resent_at_ms == CLOCK_ALWAYS_MS)
        return STATUS_OK;
    int64_t wait_ms = invitation->resent_at_ms + invitation_settings.resend_interval_ms - call->now_ms;
    if (wait_ms <= 0)
        return STATUS_OK;
    fault_set(call->fault, STATUS_EXHAUSTED, "RESENT_TOO_SOON",
              "the invitation was sent again just now; try again in %lld s", (long long)(wait_ms / 1000 + 1));
    fault_set_retry_after_ms(call->fault, (uint32_t)wait_ms);
    return STATUS_EXHAUSTED;
}

// Who sends it again invites: as no more than the caller is, whoever made it. Roles that are gone give
// nothing.
static enum status check_roles(struct app_call *call, const struct db_command *look) {
    struct role_list roles;
    enum status status = role_store_read_list(call, look, &roles);
    if (status != STATUS_OK)
        return status;
    struct permission_set *permissions =
        role_list_get_permissions(&roles, call->caller->catalogue, call->arena);
    if (!permissions)
        return fault_set_no_memory(call->fault);
    return role_check_permissions(permissions, NULL, call->caller, "you can't send this invitation again",
                                  call->arena, call->fault);
}

enum { INVITATION, ROLES, MEMBER, LOOK_COUNT };

static enum status begin_resending(struct app_call *call, struct uuid invitation_id,
                                   struct change *ret_change) {
    struct db_params params[LOOK_COUNT];
    struct db_command looks[] = {
        [INVITATION] = invitation_store_look_locking(call, invitation_id, &params[INVITATION]),
        [ROLES] = role_store_look_of_invitation(call, invitation_id, &params[ROLES]),
        [MEMBER] = invitation_store_look_for_member(call, invitation_id, &params[MEMBER])};
    struct invitation *before;
    enum status status = membership_lock(call, looks, LOOK_COUNT);
    if (status == STATUS_OK)
        status = invitation_store_read(call, &looks[INVITATION], invitation_id, &before);
    if (status == STATUS_OK)
        status = begin_change(call, before, INVITATION_RESEND, ret_change);
    if (status == STATUS_OK)
        status = check_roles(call, &looks[ROLES]);
    if (status == STATUS_OK)
        status = check_interval(call, before);
    if (status == STATUS_OK)
        status = invitation_store_check_member(call, &looks[MEMBER], before);
    return status;
}

static enum status resend(struct app_call *call, struct invitation *after) {
    struct db_params params;
    after->generation++;
    after->expires_at_ms = call->now_ms + invitation_settings.lifetime_ms;
    after->resent_count++;
    after->resent_at_ms = call->now_ms;
    after->delivery = 'q';
    after->delivery_detail = "";
    struct outbox_item item = invitation_mail_of(after, call->arena);
    if (!item.detail)
        return fault_set_no_memory(call->fault);
    struct db_command mail = outbox_command_adding(call, &item, &params);
    enum status status = invitation_store_resend(call, after, &mail);
    return status == STATUS_OK ? outbox_read_added(call, &mail) : status;
}

enum status invitation_rpc_resend(struct app_call *call, const ProtobufCMessage *message,
                                  ProtobufCMessage **ret_response) {
    const Latchkey__V1__ResendInvitationRequest *request =
        (const Latchkey__V1__ResendInvitationRequest *)message;
    Latchkey__V1__ResendInvitationResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ResendInvitationResponse);
    struct change change;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__resend_invitation_response__init(response);
    struct uuid invitation_id = read_id(request->invitation_id, call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = begin_resending(call, invitation_id, &change);
    if (status == STATUS_OK)
        status = resend(call, &change.after);
    if (status != STATUS_OK)
        return status;
    response->invitation = end_change(call, &change, "invitation.resent");
    *ret_response = &response->base;
    return response->invitation ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- DeactivateInvitation ----

static enum status deactivate(struct app_call *call, struct change *change) {
    change->after.generation++; // every link is of an earlier one
    return invitation_store_deactivate(call, &change->after);
}

enum status invitation_rpc_deactivate(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response) {
    const Latchkey__V1__DeactivateInvitationRequest *request =
        (const Latchkey__V1__DeactivateInvitationRequest *)message;
    Latchkey__V1__DeactivateInvitationResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__DeactivateInvitationResponse);
    struct change change;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__deactivate_invitation_response__init(response);
    *ret_response = &response->base;
    struct invitation *before;
    struct uuid invitation_id = read_id(request->invitation_id, call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = invitation_store_lock(call, invitation_id, &before);
    if (status == STATUS_OK)
        status = begin_change(call, before, INVITATION_DEACTIVATE, &change);
    if (status != STATUS_OK)
        return status;
    if (change.before->state == INVITATION_DEACTIVATED) {
        response->invitation = invitation_message_new(change.before, call->arena);
        return response->invitation ? STATUS_OK : fault_set_no_memory(call->fault);
    }
    if ((status = deactivate(call, &change)) != STATUS_OK)
        return status;
    response->invitation = end_change(call, &change, "invitation.deactivated");
    return response->invitation ? STATUS_OK : fault_set_no_memory(call->fault);
}
