// What every server sweeps now and then: rows of the change log and of repeated requests that nobody needs
// any more. Small batches, each committed by itself, so that nothing waits for it; several servers may sweep
// at once.
#ifndef LATCHKEY_COMMON_APP_MAINTENANCE_H
#define LATCHKEY_COMMON_APP_MAINTENANCE_H

#include "common/app/job.h"
#include "common/app/metrics.h"

extern const struct app_job maintenance_job;

// A metrics_source without a context.
void maintenance_write_metrics(struct metrics_writer *writer, void *context);

#endif
