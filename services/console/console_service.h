// The console: the pages for people, on a port of their own, in front of the methods that this server has.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_SERVICE_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_SERVICE_H

#include "common/app/app.h"

extern const struct app_service console_service;

// Its page on which invitations are accepted; NULL = there is no console. Static storage. Once the settings
// have been read.
const char *console_service_get_invitation_url(void);

#endif
