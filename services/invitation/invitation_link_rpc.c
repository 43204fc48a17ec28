#include "services/invitation/invitation_link_rpc.h"

#include <string.h>

#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/base/typeid.h"
#include "common/crypto/digest.h"
#include "common/crypto/secret.h"
#include "common/ip/throttle.h"
#include "common/protobuf/timestamp.h"
#include "latchkey/v1/invitation.pb-c.h"
#include "services/invitation/invitation_message_rpc.h"
#include "services/invitation/invitation_rules.h"
#include "services/invitation/invitation_settings.h"
#include "services/invitation/invitation_store.h"
#include "services/invitation/member_message_rpc.h"
#include "services/invitation/member_store.h"
#include "services/invitation/role_store.h"

enum { ADDRESSES_MAX = 100000 };

// Made before the first call.
static struct throttle *tries, *wrong_tries;

enum status invitation_link_start(void) {
    struct throttle_options all = {.burst = invitation_settings.tries,
                                   .refill_ms = invitation_settings.try_refill_ms,
                                   .addresses_max = ADDRESSES_MAX};
    struct throttle_options wrong = {.burst = invitation_settings.wrong_tries,
                                     .refill_ms = invitation_settings.wrong_try_refill_ms,
                                     .addresses_max = ADDRESSES_MAX};
    enum status status = throttle_new(&all, &tries);
    return status == STATUS_OK ? throttle_new(&wrong, &wrong_tries) : status;
}

void invitation_link_stop(void) {
    throttle_free(tries);
    throttle_free(wrong_tries);
    tries = wrong_tries = NULL;
}

enum status invitation_link_rpc_screen(struct app_call *call) {
    static const struct throttle_words words = {"TOO_MANY_TRIES", "too many links were tried"};
    return throttle_check(tries, &call->address, call->timer_ns, &words, call->fault);
}

// ---- links that work, and all others ----

// Fixed by the contract: every word.
static enum status tell_broken(struct app_call *call) {
    return fault_set(call->fault, STATUS_NOT_FOUND, "INVITATION_BROKEN",
                     "This invitation link is broken. Please contact your system administrator");
}

static enum status refuse(struct app_call *call) {
    static const struct throttle_words words = {"TOO_MANY_WRONG_TRIES",
                                                "too many links that do not work were tried"};
    enum status status = throttle_check(wrong_tries, &call->address, call->timer_ns, &words, call->fault);
    return status == STATUS_OK ? tell_broken(call) : status;
}

// What can't be a secret has the digest of none.
static struct digest get_digest(const char *secret) {
    char text[SECRET_LENGTH] = {0};
    struct digest digest;
    if (strlen(secret) == SECRET_LENGTH)
        memcpy(text, secret, SECRET_LENGTH);
    digest_sha256(bytes_of(text, SECRET_LENGTH), &digest);
    secret_wipe(text, sizeof(text));
    return digest;
}

// OK: the link is good for something, and the call acts for its company.
static enum status follow_link(struct app_call *call, const struct digest *digest,
                               struct invitation_found **ret_found) {
    enum status status = invitation_store_find_by_secret(call, digest, call->request_id, ret_found);
    if (status != STATUS_OK)
        return status;
    if (!*ret_found)
        return refuse(call);
    app_call_enter_company(call, (*ret_found)->company_id);
    return STATUS_OK;
}

// ---- LookupInvitation ----

enum status invitation_link_rpc_lookup(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response) {
    const Latchkey__V1__LookupInvitationRequest *request =
        (const Latchkey__V1__LookupInvitationRequest *)message;
    Latchkey__V1__LookupInvitationResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__LookupInvitationResponse);
    Google__Protobuf__Timestamp *expires_at = ARENA_NEW(call->arena, Google__Protobuf__Timestamp);
    struct invitation_found *found;
    if (!response || !expires_at)
        return fault_set_no_memory(call->fault);
    latchkey__v1__lookup_invitation_response__init(response);
    struct digest digest = get_digest(request->secret);
    enum status status = follow_link(call, &digest, &found);
    if (status != STATUS_OK)
        return status;
    response->company_name = (char *)found->company_name;
    response->email_masked = invitation_mask_email(found->email, call->arena);
    response->expires_at = timestamp_fill(expires_at, found->expires_at_ms);
    *ret_response = &response->base;
    return response->email_masked ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- AcceptInvitation ----

// Those roles of the invitation that there still are; they stay until the transaction ends.
static enum status read_roles(struct app_call *call, const struct db_command *look,
                              struct role_ids *ret_ids) {
    struct role_list present;
    enum status status = role_store_read_list(call, look, &present);
    if (status != STATUS_OK)
        return status;
    struct role_ids ids = {.ids = ARENA_NEW_ARRAY(call->arena, struct uuid, present.count)};
    if (!ids.ids)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < present.count; i++)
        ids.ids[ids.count++] = present.roles[i].role_id;
    *ret_ids = ids;
    return STATUS_OK;
}

// A member who came another way meanwhile has the address: the link is of no use any more.
static enum status make_member(struct app_call *call, const struct invitation *invitation,
                               const struct db_command *roles, const char *name, struct member **ret_member) {
    struct member_draft draft = {.email = invitation->email,
                                 .display_name = name,
                                 .issuer = "",
                                 .subject = "",
                                 .external_id = "",
                                 .allowed_ips = invitation->ips};
    enum status status = read_roles(call, roles, &draft.roles);
    if (status != STATUS_OK)
        return status;
    status = member_store_create(call, uuid_new(app_get_clock(call->app)), &draft, ret_member);
    if (status != STATUS_ALREADY_EXISTS)
        return status;
    fault_init(call->fault, call->arena);
    return tell_broken(call);
}

static enum status note(struct app_call *call, const struct invitation *before,
                        const struct invitation *after, const Latchkey__V1__Member *member) {
    Latchkey__V1__Invitation *was = invitation_message_new(before, call->arena);
    Latchkey__V1__Invitation *is = invitation_message_new(after, call->arena);
    if (!was || !is)
        return fault_set_no_memory(call->fault);
    enum status status = audit_note(call, "invitation.accepted", is->invitation_id, &was->base, &is->base);
    if (status == STATUS_OK)
        status = audit_note(call, "member.created", member->member_id, NULL, &member->base);
    return status;
}

static enum status accept(struct app_call *call, const struct invitation *before,
                          const struct db_command *roles, const char *name,
                          Latchkey__V1__Member **ret_member) {
    struct invitation after = *before;
    struct member *member;
    if (invitation_move(before->state, INVITATION_ACCEPT, call->fault, &after.state) != STATUS_OK) {
        fault_init(call->fault, call->arena); // somebody was quicker, but that is nobody's business
        return refuse(call);
    }
    enum status status = make_member(call, before, roles, name, &member);
    if (status != STATUS_OK)
        return status;
    after.accepted_at_ms = call->now_ms;
    after.accepted_by = call->request_id;
    after.member_id = member->member_id;
    *ret_member = member_message_new(member, call->arena);
    if (!*ret_member)
        return fault_set_no_memory(call->fault);
    status = invitation_store_accept(call, &after);
    return status == STATUS_OK ? note(call, before, &after, *ret_member) : status;
}

// The answer was lost on its way: the same request is told again what it did.
static enum status repeat(struct app_call *call, const struct invitation *invitation,
                          Latchkey__V1__Member **ret_member) {
    struct member *member;
    enum status status = member_store_find(call, invitation->member_id, &member);
    if (status != STATUS_OK)
        return status;
    *ret_member = member_message_new(member, call->arena);
    return *ret_member ? STATUS_OK : fault_set_no_memory(call->fault);
}

static bool is_repetition(const struct app_call *call, const struct invitation *invitation) {
    return invitation->state == INVITATION_ACCEPTED && !uuid_is_zero(call->request_id) &&
           uuid_is_equal(invitation->accepted_by, call->request_id);
}

enum status invitation_link_rpc_accept(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response) {
    const Latchkey__V1__AcceptInvitationRequest *request =
        (const Latchkey__V1__AcceptInvitationRequest *)message;
    Latchkey__V1__AcceptInvitationResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__AcceptInvitationResponse);
    struct invitation_found *found;
    struct invitation *invitation;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__accept_invitation_response__init(response);
    *ret_response = &response->base;
    invitation_check_display_name(request->display_name, call->fault);
    enum status status = call->fault->status;
    struct digest digest = get_digest(request->secret);
    if (status == STATUS_OK)
        status = follow_link(call, &digest, &found);
    if (status != STATUS_OK)
        return status;
    struct db_params params;
    struct db_command roles = role_store_look_of_invitation(call, found->invitation_id, &params);
    status = invitation_store_lock_by_secret(call, found->invitation_id, &digest, &roles, &invitation);
    if (status != STATUS_OK)
        return status;
    if (!invitation)
        return refuse(call);
    if (is_repetition(call, invitation))
        return repeat(call, invitation, &response->member);
    return accept(call, invitation, &roles, request->display_name, &response->member);
}
