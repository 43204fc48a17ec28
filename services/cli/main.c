// latchkey: the command line.
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "services/cli/cli.h"

extern char **environ;

int main(int argc, char **argv) {
    // What fails is told in sentences; the log below it only to who asks.
    const char *level = getenv("LATCHKEY_LOG_LEVEL");
    log_configure(level && strcmp(level, "debug") == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_NONE, LOG_FORMAT_TEXT,
                  "latchkey");
    return cli_main(argc, argv, environ);
}
