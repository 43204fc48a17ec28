// What the whitelist does by itself: a published list that nobody confirmed in time gives way to the one
// before, drafts that nobody has touched for long are discarded, and the entries of replaced lists are
// removed.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_JOBS_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_JOBS_H

#include "common/app/job.h"

extern const struct app_job whitelist_revert_job;
extern const struct app_job whitelist_sweep_job;

#endif
