// The database, and what stands in it: can it be used, does it keep what it has acknowledged, do validators
// follow, is somebody locked out.
#ifndef LATCHKEY_SERVICES_CLI_DOCTOR_DATABASE_H
#define LATCHKEY_SERVICES_CLI_DOCTOR_DATABASE_H

#include "common/app/settings.h"
#include "services/cli/doctor.h"
#include "services/cli/doctor_store.h"

void doctor_database_look(struct doctor *doctor, const struct app_settings *settings);

// The judgement alone. `skew_ms` is how far our clock is ahead, give or take `doubt_ms`.
void doctor_database_judge(struct doctor *doctor, const struct app_settings *settings,
                           const struct database_facts *facts);
void doctor_database_judge_clock(struct doctor *doctor, int64_t skew_ms, int64_t doubt_ms);

#endif
