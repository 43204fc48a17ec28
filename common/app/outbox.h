// E-mail on its way: what is to be sent stands in the database, put there by the transaction that wants it
// sent, and goes out afterwards. So nothing is sent that did not happen, and nothing that happened goes
// unsent.
#ifndef LATCHKEY_COMMON_APP_OUTBOX_H
#define LATCHKEY_COMMON_APP_OUTBOX_H

#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

struct outbox_item {
    const char *kind;      // of a mail_kind that some service renders, e.g. "invitation", "token_expiry"
    struct uuid object_id; // what it is about: the renderer reads it as it is when the mail is sent
    const char *recipient; // address
    const char *detail; // what the renderer needs beside the object, at most 255 characters; never a secret
};

// In the call's transaction, for its company.
MUST_CHECK enum status outbox_add(struct app_call *call, const struct outbox_item *item);

#endif
