// Log-ins as messages.
#ifndef LATCHKEY_SERVICES_TOKEN_LOGIN_MESSAGE_RPC_H
#define LATCHKEY_SERVICES_TOKEN_LOGIN_MESSAGE_RPC_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "latchkey/v1/token.pb-c.h"
#include "services/token/login.h"

// Both borrow from what they are made of, and live in the arena. NULL when out of memory.
MUST_CHECK Latchkey__V1__LoginToken *login_message_new(const struct login *login, int64_t now_ms,
                                                       struct arena *arena);
MUST_CHECK Latchkey__V1__RecentAuthentication *authentication_message_new(
    const struct authentication *authentication, int64_t now_ms, struct arena *arena);

#endif
