// What Prometheus's own client libraries tell of a process, under their names: CPU, memory, descriptors,
// start; and which build of ours it is.
#ifndef LATCHKEY_COMMON_APP_PROCESS_METRICS_H
#define LATCHKEY_COMMON_APP_PROCESS_METRICS_H

#include <stdint.h>

#include "common/app/metrics.h"

struct process_metrics {
    const char *program;
    // UTC. why it is noted, and not computed from /proc at each scrape: it would be another each time that
    // the clock is set, which looks like a restart.
    int64_t started_ms;
};

// A metrics_source with a struct process_metrics as context. What /proc does not tell is left out.
void process_metrics_write(struct metrics_writer *writer, void *process);

#endif
