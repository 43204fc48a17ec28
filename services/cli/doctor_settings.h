// The settings of the servers that `latchkey doctor` looks at: from their files, as --config names them, and
// their variables.
#ifndef LATCHKEY_SERVICES_CLI_DOCTOR_SETTINGS_H
#define LATCHKEY_SERVICES_CLI_DOCTOR_SETTINGS_H

#include "common/app/settings.h"
#include "services/cli/doctor.h"

// Fills in `ret_settings`, tls_settings and mail_settings, and tells of mistakes. What it has read is owned:
// config_files_free(ret_settings->config).
void doctor_settings_read(struct doctor *doctor, struct app_settings *ret_settings);

#endif
