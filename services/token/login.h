// A log-in as the token service knows it: the login token that it made, or the refusal. Everything borrowed
// here lives in the arena of the call.
#ifndef LATCHKEY_SERVICES_TOKEN_LOGIN_H
#define LATCHKEY_SERVICES_TOKEN_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/base/uuid.h"
#include "services/token/token.h"

struct login {
    struct uuid token_id;
    struct uuid member_id;
    uint8_t channel;       // enum channel: where the person logged in
    const char *client_ip; // canonical; "" = none was given
    const char *user_agent;
    int64_t created_at_ms;
    int64_t expires_at_ms;
    int64_t deactivated_at_ms; // CLOCK_NEVER_MS = not deactivated
    int64_t last_used_at_ms;   // CLOCK_ALWAYS_MS = never used
};

// ACTIVE, DEACTIVATED or EXPIRED.
enum token_state login_get_state(const struct login *login, int64_t now_ms);

// One line of the list of recent authentications.
struct authentication {
    struct uuid id;      // of the token or the refusal: its place in the list
    enum reason refused; // REASON_OK = it made the token
    struct login login;  // of a refusal only who, from where, with what and when
    int64_t count;       // refusals of the same kind in that minute; 1
};

#endif
