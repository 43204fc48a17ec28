// The mail of an invitation: a link of its own for every attempt to send it.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_MAIL_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_MAIL_H

#include "common/app/outbox.h"
#include "common/base/arena.h"
#include "services/invitation/invitation.h"

// Its detail is the generation of the invitation that it belongs to.
#define INVITATION_MAIL_KIND "invitation"

// The mail of the invitation as it is now, for outbox_command_adding() and its like. Out of memory it has no
// detail.
struct outbox_item invitation_mail_of(const struct invitation *invitation, struct arena *arena);

// mail_kind.render: mints a link of the invitation's present generation. Nothing to say where the invitation
// has moved on since.
MUST_CHECK enum status invitation_mail_render(struct app_call *call, const struct outbox_mail *mail,
                                              struct mail_content *ret_content);

#endif
