// The mail server: does it take us, as the settings have it. No mail is sent.
#ifndef LATCHKEY_SERVICES_CLI_DOCTOR_MAIL_H
#define LATCHKEY_SERVICES_CLI_DOCTOR_MAIL_H

#include "services/cli/doctor.h"

// By mail_settings.
void doctor_mail_look(struct doctor *doctor);

#endif
