// Whatever was sent is hashed and looked up once, in the same way; only for a secret of ours is anything done
// after that, and the answer is the same empty one.
#include "services/token/leak_rpc.h"

#include <string.h>

#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/base/buffer.h"
#include "common/base/typeid.h"
#include "common/ip/throttle.h"
#include "latchkey/v1/token.pb-c.h"
#include "services/token/leak_mail.h"
#include "services/token/leak_store.h"
#include "services/token/token_rpc.h"

enum { ADDRESSES_MAX = 100000 };

static struct throttle *throttle; // made before the first call

enum status leak_rpc_start(void) {
    struct throttle_options options = {.burst = token_limits.leak_reports,
                                       .refill_ms = token_limits.leak_report_refill_ms,
                                       .addresses_max = ADDRESSES_MAX};
    return throttle_new(&options, &throttle);
}

void leak_rpc_stop(void) {
    throttle_free(throttle);
    throttle = NULL;
}

// ---- a token ----

static enum status note(struct app_call *call, const char *token_id, const struct leak *leak,
                        enum leak_outcome outcome) {
    struct buffer json = {0};
    buffer_append_text(&json, "{\"hint\":");
    buffer_append_json(&json, bytes_of_text(leak->hint));
    buffer_append_format(&json, ",\"outcome\":\"%s\"}", leak_outcome_get_word(outcome));
    buffer_append_byte(&json, '\0');
    enum status status =
        json.failed ? fault_set_no_memory(call->fault)
                    : audit_note_text(call, "token.leak_reported", token_id, "", (const char *)json.data);
    buffer_fini(&json);
    if (status == STATUS_OK && outcome == LEAK_DEACTIVATED)
        status = audit_note_text(call, "token.deactivated", token_id, "{\"state\":\"TOKEN_STATE_ACTIVE\"}",
                                 "{\"deactivate_reason\":\"DEACTIVATE_REASON_LEAKED\","
                                 "\"state\":\"TOKEN_STATE_DEACTIVATED\"}");
    if (status == STATUS_OK && outcome == LEAK_SUSPENDED)
        status = audit_note_text(call, "token.suspended", token_id, "{\"state\":\"TOKEN_STATE_ACTIVE\"}",
                                 "{\"state\":\"TOKEN_STATE_SUSPENDED\"}");
    return status;
}

static enum status act_on_token(struct app_call *call, struct uuid token_id, const struct digest *digest) {
    struct leak leak;
    enum status status = leak_store_lock(call, token_id, digest, &leak);
    if (status != STATUS_OK)
        return status;
    enum leak_outcome outcome = leak_decide(&leak.token, call->now_ms);
    if (outcome == LEAK_IGNORED)
        return STATUS_OK;
    status = leak_store_apply(call, token_id, outcome);
    if (status == STATUS_OK)
        status = note(call, typeid_of(TYPEID_TOKEN, token_id).text, &leak, outcome);
    return status == STATUS_OK ? leak_mail_add(call, token_id, &leak, outcome) : status;
}

// ---- an invitation ----

// Whoever was invited gets a new link from whoever invited: that one is no longer pending tells them.
static enum status act_on_invitation(struct app_call *call, struct uuid invitation_id) {
    bool has_changed;
    enum status status = leak_store_end_invitation(call, invitation_id, &has_changed);
    if (status != STATUS_OK || !has_changed)
        return status;
    struct typeid id = typeid_of(TYPEID_INVITATION, invitation_id);
    status = audit_note_text(call, "invitation.leak_reported", id.text, "", "{\"outcome\":\"deactivated\"}");
    if (status == STATUS_OK)
        status = audit_note_text(call, "invitation.deactivated", id.text,
                                 "{\"state\":\"INVITATION_STATE_PENDING\"}",
                                 "{\"state\":\"INVITATION_STATE_DEACTIVATED\"}");
    return status;
}

// ---- the method ----

enum status leak_rpc_screen(struct app_call *call) {
    static const struct throttle_words words = {"TOO_MANY_REPORTS", "too many reports"};
    return throttle_check(throttle, &call->address, call->timer_ns, &words, call->fault);
}

static enum status report(struct app_call *call, struct bytes secret) {
    struct digest digest;
    struct leak_owner owner;
    digest_sha256(secret, &digest);
    enum status status = leak_store_find(call, &digest, &owner);
    if (status != STATUS_OK || uuid_is_zero(owner.company_id))
        return status;
    app_call_enter_company(call, owner.company_id);
    return uuid_is_zero(owner.token_id) ? act_on_invitation(call, owner.invitation_id)
                                        : act_on_token(call, owner.token_id, &digest);
}

enum status leak_rpc_report(struct app_call *call, const ProtobufCMessage *message,
                            ProtobufCMessage **ret_response) {
    const Latchkey__V1__ReportLeakedTokenRequest *request =
        (const Latchkey__V1__ReportLeakedTokenRequest *)message;
    Latchkey__V1__ReportLeakedTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ReportLeakedTokenResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__report_leaked_token_response__init(response);
    *ret_response = &response->base;
    return report(call, bytes_of_text(request->secret));
}
