// The job that sends what stands in the outbox (outbox.h). Mails are taken one at a time, for a lease that is
// longer than sending can take; several mailers take different ones. Nothing is sent within a transaction,
// and no connection to the database is held meanwhile.
//
// A server that answers nothing, refuses the log-in or can't be reached ends the round, and the next one
// comes ever later, up to half a minute: so a mail server that is down costs the same whether ten mails wait
// or ten thousand, and everything goes out soon after it is back.
#ifndef LATCHKEY_COMMON_APP_MAILER_H
#define LATCHKEY_COMMON_APP_MAILER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/app/app.h"
#include "common/mail/mailbox.h"
#include "common/mail/smtp.h"

// Whether a program with these services sends mail, and so has the settings of it.
bool mailer_is_needed(const struct app_program *program);

// From the settings, before the first thread. On INVALID a sentence that names the setting is in `ret_error`.
MUST_CHECK enum status mailer_open(const struct app_program *program, char *ret_error, size_t error_size);
void mailer_close(void); // after the job has ended; also when it was never opened

// For mail that has nothing to do with the database: the server, NULL where none is configured, and who
// sends. Between the two above.
const struct smtp_server *mailer_get_server(void);
const struct mailbox *mailer_get_sender(void);

// Whether a service of this program renders mails of that kind.
bool mailer_has_kind(const char *name);

extern const struct app_job mailer_job;

// A metrics_source without a context.
void mailer_write_metrics(struct metrics_writer *writer, void *context);

#endif
