#include "services/token/token_mint.h"

#include "common/app/app.h"

bool token_mint(struct app_call *call, enum secret_kind kind, struct token_minted *ret_minted) {
    struct secret *secret = ARENA_NEW(call->arena, struct secret);
    if (!secret)
        return false;
    secret_new(app_get_settings(call->app)->brand, kind, call->lane, secret);
    struct bytes text = bytes_of(secret->text, SECRET_LENGTH);
    ret_minted->secret = secret;
    digest_sha256(text, &ret_minted->digest);
    secret_get_hint(text, ret_minted->hint);
    return true;
}
