// What the service does by itself about the secrets that rotations leave behind: it tells the audit log of
// those that are used after their grace, and ends the token where the company's policy says so; and it
// forgets those that have been spent for long enough.
#ifndef LATCHKEY_SERVICES_TOKEN_REUSE_JOB_H
#define LATCHKEY_SERVICES_TOKEN_REUSE_JOB_H

#include "common/app/job.h"

extern const struct app_job token_reuse_job;
extern const struct app_job token_forget_job;

#endif
