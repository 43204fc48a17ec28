// Who sends and who receives: `local@domain`, with a name for people where the sender has one. Only what may
// stand in an SMTP command and in a header as it is passes: no spaces, controls, quotes or brackets in the
// address. Whether a person's address is a likely one is checked where people type it.
#ifndef LATCHKEY_COMMON_MAIL_MAILBOX_H
#define LATCHKEY_COMMON_MAIL_MAILBOX_H

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

#define MAILBOX_ADDRESS_MAX 254
#define MAILBOX_NAME_MAX 200

struct mailbox {
    char name[MAILBOX_NAME_MAX + 1]; // UTF-8; "" = none
    char address[MAILBOX_ADDRESS_MAX + 1];
};

// True for one address that can stand in a command and a header without being quoted.
bool mailbox_is_address(struct bytes text);

// `ada@example.com`, `Ada <ada@example.com>` or `"Ada, of Example" <ada@example.com>`. On failure a sentence
// that says what to type is in `*ret_reason` (static storage).
MUST_CHECK bool mailbox_parse(struct bytes text, struct mailbox *ret_mailbox, const char **ret_reason);

// What stands behind the @.
const char *mailbox_get_domain(const struct mailbox *mailbox);

#endif
