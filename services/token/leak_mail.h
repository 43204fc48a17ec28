// The mail to the owner of a token whose secret was found where it should not be.
#ifndef LATCHKEY_SERVICES_TOKEN_LEAK_MAIL_H
#define LATCHKEY_SERVICES_TOKEN_LEAK_MAIL_H

#include "common/app/outbox.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/token/leak_store.h"

#define LEAK_MAIL_KIND "token_leaked"

// One for each of the leak's addresses.
MUST_CHECK enum status leak_mail_add(struct app_call *call, struct uuid token_id, const struct leak *leak,
                                     enum leak_outcome outcome);

// mail_kind.render. Nothing to say about a token that is gone.
MUST_CHECK enum status leak_mail_render(struct app_call *call, const struct outbox_mail *mail,
                                        struct mail_content *ret_content);

#endif
