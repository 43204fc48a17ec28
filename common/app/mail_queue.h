// The outbox as the mailer sees it: across companies when a mail is taken, in the mail's own company when it
// is settled. Every function is one transaction of its own, on a connection that it leases and returns.
#ifndef LATCHKEY_COMMON_APP_MAIL_QUEUE_H
#define LATCHKEY_COMMON_APP_MAIL_QUEUE_H

#include "common/app/job.h"
#include "common/app/outbox.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

enum mail_state {
    MAIL_QUEUED = 'q',
    MAIL_SENT = 's',
    MAIL_FAILED = 'f',
    MAIL_DROPPED = 'd',
};

// Takes the mail of one of these kinds that is longest due, for `lease_ms`. *ret_mail, in `arena`, is NULL
// when none is due.
MUST_CHECK enum status mail_queue_take(const struct job_run *run, const struct bytes *kinds,
                                       size_t kind_count, int64_t lease_ms, struct arena *arena,
                                       struct outbox_mail **ret_mail);

// What became of the attempt. `next_in_ms` counts for MAIL_QUEUED alone. Does nothing when another mailer has
// taken the mail since.
struct mail_settlement {
    enum mail_state state;
    const char *words; // at most 500 bytes
    int64_t next_in_ms;
};
MUST_CHECK enum status mail_queue_settle(const struct job_run *run, const struct outbox_mail *mail,
                                         const struct mail_settlement *settlement, struct arena *arena);

struct mail_backlog {
    int64_t count;     // of all kinds; at most 10 000
    int64_t oldest_ms; // how long the oldest waits; 0 = none does
};
// Also forgets a batch of mails that ended long ago.
MUST_CHECK enum status mail_queue_survey(const struct job_run *run, struct mail_backlog *ret_backlog);

#endif
