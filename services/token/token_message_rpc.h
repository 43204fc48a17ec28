// Tokens as the contract's messages.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_MESSAGE_RPC_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_MESSAGE_RPC_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "latchkey/v1/token.pb-c.h"
#include "services/token/token.h"

// Borrows from `token`; in the arena. NULL when out of memory.
MUST_CHECK Latchkey__V1__AccessToken *token_message_new(const struct token *token, int64_t now_ms,
                                                        struct arena *arena);

#endif
