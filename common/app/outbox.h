// E-mail on its way: what is to be sent stands in the database, put there by the transaction that wants it
// sent, and goes out afterwards. So nothing is sent that did not happen, and nothing that happened goes
// unsent.
//
//   QUEUED --taken, rendered, the server took it--------------> SENT
//     ^  | --the server refused it, or too old to try again---> FAILED
//     |  | --there is nothing to say any more-----------------> DROPPED
//     +--+ a passing failure: again, ever more seldom
//
// A mailer that dies between sending and marking sends again (the Message-ID is the same): a mail may come
// twice, but none is lost.
#ifndef LATCHKEY_COMMON_APP_OUTBOX_H
#define LATCHKEY_COMMON_APP_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/transaction.h"
#include "common/mail/message.h"

struct outbox_item {
    const char *kind;      // of a mail_kind of a service in this program, e.g. "invitation", "token_expiry"
    struct uuid object_id; // what it is about: the renderer reads it as it is when the mail is sent
    const char *recipient; // address
    const char *detail; // what the renderer needs beside the object, at most 255 characters; never a secret
};

// In the call's transaction, for its company. What a caller asks for counts against the limits of the company
// and hour, sender and day, recipient and day: EXHAUSTED (MAIL_LIMIT, with a time to try again), and nothing
// is added; the transaction is still good. What the system sends by itself is not limited. As a command it is
// for somebody else's batch, and what it gave is read afterwards.
MUST_CHECK enum status outbox_add(struct app_call *call, const struct outbox_item *item);
struct db_command outbox_command_adding(struct app_call *call, const struct outbox_item *item,
                                        struct db_params *params);
MUST_CHECK enum status outbox_read_added(struct app_call *call, const struct db_command *command);

// Many at once: how much room the limits leave is looked up first, for these recipients; then each mail takes
// its place, or is refused as outbox_add() would (EXHAUSTED); then all that got one are added, which fails no
// more. `i` is the number of the recipient, and each takes one place at most.
struct outbox_room {
    const struct db_result *rows;
    int64_t taken;
};
struct db_command outbox_look_for_room(struct app_call *call, const struct bytes *recipients, size_t count,
                                       struct db_params *params);
MUST_CHECK enum status outbox_take_place(struct app_call *call, struct outbox_room *room, size_t i);
// NULL params where it is out of memory.
struct db_command outbox_command_adding_many(struct app_call *call, const struct outbox_item *items,
                                             size_t count, struct db_params *params);

// A mail whose turn has come.
struct outbox_mail {
    struct uuid mail_id, company_id;
    const char *kind;
    struct uuid object_id;
    const char *recipient;
    const char *detail;
    int attempt; // from 1
    int64_t created_at_ms;
};

// How a service makes the content of its mails. Static storage.
struct mail_kind {
    const char *name; // at most 50 characters
    // On a thread of its own, in a transaction of the mail's company, under the name "mailer". The
    // transaction is committed before the mail is sent: a secret that the content shows is good by then. The
    // content lives in the call's arena and is wiped. Left with an empty subject there is nothing to say any
    // more: the mail is dropped.
    enum status (*render)(struct app_call *call, const struct outbox_mail *mail,
                          struct mail_content *ret_content);
};

#endif
