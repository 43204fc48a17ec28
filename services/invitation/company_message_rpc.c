#include "services/invitation/company_message_rpc.h"

#include "common/base/typeid.h"
#include "common/grpc/etag.h"
#include "common/protobuf/timestamp.h"

// A message with the parts of it that have a fixed size, so that one allocation makes it.
struct company_block {
    Latchkey__V1__Company message;
    Latchkey__V1__CompanyPolicy policy;
    struct typeid company_id;
    char etag[ETAG_MAX + 1];
    Google__Protobuf__Timestamp created_at;
    Google__Protobuf__Duration max_token_lifetime, deactivate_unused_after, login_lifetime;
};

static void fill_policy(struct company_block *block, const struct company_policy *policy) {
    Latchkey__V1__CompanyPolicy *message = &block->policy;
    latchkey__v1__company_policy__init(message);
    message->max_token_lifetime = duration_fill(&block->max_token_lifetime, policy->max_token_lifetime_ms);
    message->require_expiry = policy->requires_expiry;
    message->deactivate_unused_after =
        duration_fill(&block->deactivate_unused_after, policy->deactivate_unused_ms);
    message->leak_action = (Latchkey__V1__LeakAction)policy->leak_action;
    message->reuse_action = (Latchkey__V1__ReuseAction)policy->reuse_action;
    message->login_lifetime = duration_fill(&block->login_lifetime, policy->login_lifetime_ms);
    block->message.policy = message;
}

Latchkey__V1__Company *company_message_new(const struct company *company, struct arena *arena) {
    struct company_block *block = ARENA_NEW(arena, struct company_block);
    if (!block)
        return NULL;
    Latchkey__V1__Company *message = &block->message;
    latchkey__v1__company__init(message);
    block->company_id = typeid_of(TYPEID_COMPANY, company->company_id);
    etag_format(company->version, block->etag);
    message->company_id = block->company_id.text;
    message->name = (char *)company->name;
    message->external_id = (char *)company->external_id;
    message->state = company->is_suspended ? LATCHKEY__V1__COMPANY_STATE__COMPANY_STATE_SUSPENDED
                                           : LATCHKEY__V1__COMPANY_STATE__COMPANY_STATE_ACTIVE;
    message->created_at = timestamp_fill(&block->created_at, company->created_at_ms);
    message->etag = block->etag;
    fill_policy(block, &company->policy);
    return message;
}
