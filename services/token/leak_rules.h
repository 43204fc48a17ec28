// What is done about a secret that was reported as leaked. Pure.
#ifndef LATCHKEY_SERVICES_TOKEN_LEAK_RULES_H
#define LATCHKEY_SERVICES_TOKEN_LEAK_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/access/decision.h"

// Reports about a token that change nothing are told to people once in so long.
#define LEAK_TOLD_AGAIN_MS (INT64_C(24) * 60 * 60 * 1000)

// Numbers as latchkey.v1.LeakAction.
enum leak_action {
    LEAK_ACTION_DEFAULT = 0,
    LEAK_ACTION_DEACTIVATE = 1,
    LEAK_ACTION_SUSPEND = 2,
    LEAK_ACTION_NOTIFY = 3,
};

enum leak_outcome {
    LEAK_IGNORED, // nothing is changed, noted or sent
    LEAK_TOLD,    // only the owner and the audit log are told
    LEAK_SUSPENDED,
    LEAK_DEACTIVATED,
    LEAK_OUTCOME_COUNT,
};

struct leaked_token {
    enum token_kind kind;
    bool is_ended;           // deactivated or expired
    bool is_suspended;       // until somebody resumes it
    bool is_secret_spent;    // a rotation has replaced the secret, and its grace is over
    int64_t reported_at_ms;  // the last report that was not ignored; CLOCK_ALWAYS_MS = none
    enum leak_action action; // the company's policy
};

enum leak_outcome leak_decide(const struct leaked_token *token, int64_t now_ms);

// "deactivated", "suspended" or "told", for the audit log and for mails.
const char *leak_outcome_get_word(enum leak_outcome outcome);

#endif
