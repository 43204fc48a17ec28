// What a server was told: its settings, from the command line and the environment, with --help, --version and
// `methods` answered on the way.
#ifndef LATCHKEY_COMMON_APP_COMMAND_LINE_H
#define LATCHKEY_COMMON_APP_COMMAND_LINE_H

#include <stddef.h>

#include "common/app/app.h"
#include "common/app/settings.h"
#include "common/base/compiler.h"
#include "common/grpc/server_settings.h"

enum command_line {
    COMMAND_LINE_SERVE,    // the settings are read, those of the services into their own
    COMMAND_LINE_ANSWERED, // nothing is left to do
    COMMAND_LINE_WRONG,    // one sentence in the error
};

MUST_CHECK enum command_line command_line_read(const struct app_program *program, int argc, char **argv,
                                               struct app_settings *ret_settings,
                                               struct grpc_server_settings *ret_transport, char *ret_error,
                                               size_t error_size);

#endif
