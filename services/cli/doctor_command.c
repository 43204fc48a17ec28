#include "services/cli/doctor_command.h"

#include "services/cli/doctor.h"
#include "services/cli/doctor_database.h"
#include "services/cli/doctor_mail.h"
#include "services/cli/doctor_settings.h"
#include "services/cli/doctor_tls.h"

enum exit_code doctor_command_run(struct cli *cli) {
    struct doctor doctor;
    struct app_settings settings;
    doctor_init(&doctor, cli);
    doctor_settings_read(&doctor, &settings);
    doctor_database_look(&doctor, &settings);
    doctor_mail_look(&doctor);
    doctor_tls_look(&doctor);
    config_files_free(settings.config);
    return doctor_end(&doctor);
}
