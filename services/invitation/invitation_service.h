// What latchkey-invitation serves of the contract, as parts of a server: companies, their members and
// roles, invitations.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_SERVICE_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_SERVICE_H

#include "common/app/app.h"

extern const struct app_service company_service;
extern const struct app_service member_service;
extern const struct app_service invitation_service;

// Where invitations are accepted if no setting says so; "" or NULL = nowhere. Borrows. Before check().
void invitation_service_set_default_url(const char *url);

#endif
