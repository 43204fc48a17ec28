// The servers' certificate: can it be used, for how long, and does it lead to an authority.
#ifndef LATCHKEY_SERVICES_CLI_DOCTOR_TLS_H
#define LATCHKEY_SERVICES_CLI_DOCTOR_TLS_H

#include "services/cli/doctor.h"

// By tls_settings.
void doctor_tls_look(struct doctor *doctor);

#endif
