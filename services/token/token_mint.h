// A new secret of a token: what is shown once, and what is stored.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_MINT_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_MINT_H

#include <stdbool.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/crypto/digest.h"
#include "common/crypto/secret.h"

struct token_minted {
    struct secret *secret; // in the call's arena and nowhere else: the frame wipes that after the answer
    struct digest digest;
    char hint[SECRET_HINT_LENGTH + 1];
};

// For the company of the call: SECRET_ACCESS or SECRET_LOGIN. False when out of memory.
MUST_CHECK bool token_mint(struct app_call *call, enum secret_kind kind, struct token_minted *ret_minted);

#endif
