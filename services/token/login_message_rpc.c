#include "services/token/login_message_rpc.h"

#include <assert.h>

#include "common/base/typeid.h"
#include "common/protobuf/timestamp.h"

#define SAME(ours, theirs) static_assert((int)(ours) == (int)(theirs), "numbers of the contract")
SAME(REASON_COMPANY_SUSPENDED, LATCHKEY__V1__REASON__REASON_COMPANY_SUSPENDED);
SAME(REASON_MEMBER_REMOVED, LATCHKEY__V1__REASON__REASON_MEMBER_REMOVED);
SAME(REASON_COMPANY_IP_NOT_LISTED, LATCHKEY__V1__REASON__REASON_COMPANY_IP_NOT_LISTED);
SAME(REASON_MEMBER_IP_NOT_LISTED, LATCHKEY__V1__REASON__REASON_MEMBER_IP_NOT_LISTED);

// Messages with the parts of them that have a fixed size, so that one allocation makes each.
struct login_block {
    Latchkey__V1__LoginToken message;
    struct typeid token_id, member_id;
    Google__Protobuf__Timestamp created_at, expires_at, last_used_at;
};

struct authentication_block {
    Latchkey__V1__RecentAuthentication message;
    struct typeid member_id;
    Google__Protobuf__Timestamp at;
};

Latchkey__V1__LoginToken *login_message_new(const struct login *login, int64_t now_ms, struct arena *arena) {
    struct login_block *block = ARENA_NEW(arena, struct login_block);
    if (!block)
        return NULL;
    Latchkey__V1__LoginToken *message = &block->message;
    latchkey__v1__login_token__init(message);
    block->token_id = typeid_of(TYPEID_TOKEN, login->token_id);
    block->member_id = typeid_of(TYPEID_MEMBER, login->member_id);
    message->token_id = block->token_id.text;
    message->member_id = block->member_id.text;
    message->channel = (Latchkey__V1__Channel)login->channel;
    message->client_ip = (char *)login->client_ip;
    message->user_agent = (char *)login->user_agent;
    message->state = (Latchkey__V1__TokenState)login_get_state(login, now_ms);
    message->created_at = timestamp_fill(&block->created_at, login->created_at_ms);
    message->expires_at = timestamp_fill(&block->expires_at, login->expires_at_ms);
    message->last_used_at = timestamp_fill(&block->last_used_at, login->last_used_at_ms);
    return message;
}

Latchkey__V1__RecentAuthentication *authentication_message_new(const struct authentication *authentication,
                                                               int64_t now_ms, struct arena *arena) {
    struct authentication_block *block = ARENA_NEW(arena, struct authentication_block);
    if (!block)
        return NULL;
    const struct login *login = &authentication->login;
    Latchkey__V1__RecentAuthentication *message = &block->message;
    latchkey__v1__recent_authentication__init(message);
    block->member_id = typeid_of(TYPEID_MEMBER, login->member_id);
    message->member_id = block->member_id.text;
    message->client_ip = (char *)login->client_ip;
    message->user_agent = (char *)login->user_agent;
    message->at = timestamp_fill(&block->at, login->created_at_ms);
    message->count = (uint64_t)authentication->count;
    if (authentication->refused != REASON_OK) {
        message->refused_reason = (Latchkey__V1__Reason)authentication->refused;
        return message;
    }
    message->login_token = login_message_new(login, now_ms, arena);
    return message->login_token ? message : NULL;
}
