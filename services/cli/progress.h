// A line that says how far a long command has come; on a terminal only.
#ifndef LATCHKEY_SERVICES_CLI_PROGRESS_H
#define LATCHKEY_SERVICES_CLI_PROGRESS_H

#include <stdint.h>

#include "services/cli/cli.h"

struct progress {
    struct cli *cli;
    const char *what; // "adding"
    uint64_t total;   // 0 = not known
    uint64_t began_ns, shown_ns;
    bool is_shown;
};

void progress_begin(struct progress *progress, struct cli *cli, const char *what, uint64_t total);
void progress_show(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress); // takes the line away

#endif
