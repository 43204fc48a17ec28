// What the audit log does by itself.
#ifndef LATCHKEY_SERVICES_AUDIT_AUDIT_JOBS_H
#define LATCHKEY_SERVICES_AUDIT_AUDIT_JOBS_H

#include "common/app/job.h"

// Filled before the jobs start, then const.
struct audit_settings {
    int64_t head_interval_ms;
    const char *head_file; // NULL = none
};
extern struct audit_settings audit_settings;

// Writes the heads that have moved to the log, and to the file where there is one. A round that could write
// them nowhere is done again.
extern const struct app_job audit_heads_job;

// Gives the refusals that were counted in minutes that are over their events.
extern const struct app_job audit_refusals_job;

#endif
