// A question as it came, whatever carried it, and what may be wrong with it before anybody decides. Texts are
// the caller's bytes: UTF-8 without NUL, otherwise anything.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_QUESTION_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/app/revision.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"

// One more, or longer, is INVALID_ARGUMENT. A token has no limit of its own: too long is malformed.
#define VALIDATE_PERMISSIONS_MAX 256 // of each of the two lists
#define VALIDATE_CLIENT_IP_MAX 100   // bytes
#define VALIDATE_DOMAIN_MAX 1000     // bytes; an Origin with its scheme and port

// Borrows everything. Zeroed memory is the empty question.
struct validate_question {
    struct bytes token;
    struct bytes client_ip;
    struct bytes domain;
    struct bytes min_revision;
    int32_t channel; // any number; those of enum channel mean something
    const struct bytes *permissions;
    size_t permission_count;
    const struct bytes *any_permissions;
    size_t any_permission_count;
};

// "api" or "ui", as words name a channel; false for anything else.
MUST_CHECK bool validate_question_parse_channel(struct bytes text, int32_t *ret_channel);

// INVALID names every bad field. `*ret_has_revision` is false where the question names none.
MUST_CHECK enum status validate_question_check(const struct validate_question *question, struct fault *fault,
                                               bool *ret_has_revision, struct revision *ret_revision);

#endif
