// What Prometheus's own client libraries tell of a process, under their names: CPU, memory, descriptors,
// start; and which build of ours it is.
#ifndef LATCHKEY_COMMON_APP_PROCESS_METRICS_H
#define LATCHKEY_COMMON_APP_PROCESS_METRICS_H

#include "common/app/metrics.h"

// A metrics_source with the program's name (const char *) as context. What /proc does not tell is left out.
void process_metrics_write(struct metrics_writer *writer, void *program);

#endif
