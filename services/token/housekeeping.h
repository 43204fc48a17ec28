// What the token service does by itself: it sweeps log-ins that nobody needs to see any more, ends access
// tokens that nobody uses where the company's policy says so, and tells people whose tokens will expire.
// Several servers may do so at once.
#ifndef LATCHKEY_SERVICES_TOKEN_HOUSEKEEPING_H
#define LATCHKEY_SERVICES_TOKEN_HOUSEKEEPING_H

#include "common/app/job.h"
#include "common/app/outbox.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

extern const struct app_job login_sweep_job, unused_token_job, expiry_notice_job;

// How a notice becomes a mail (expiry_mail.c).
#define EXPIRY_MAIL_KIND "token_expiry"
MUST_CHECK enum status expiry_mail_render(struct app_call *call, const struct outbox_mail *mail,
                                          struct mail_content *ret_content);

#endif
