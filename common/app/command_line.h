// What a server was told: its settings, from the command line, the environment and files, with --help,
// --version and `methods` answered on the way.
#ifndef LATCHKEY_COMMON_APP_COMMAND_LINE_H
#define LATCHKEY_COMMON_APP_COMMAND_LINE_H

#include "common/app/app.h"
#include "common/app/settings.h"
#include "common/base/compiler.h"
#include "common/base/sentences.h"
#include "common/grpc/server_settings.h"

enum command_line {
    COMMAND_LINE_SERVE,    // the settings are read, those of the services into their own
    COMMAND_LINE_CHECK,    // so they are, and all that is wanted is whether they are right; they may be not
    COMMAND_LINE_READY,    // all that is wanted is whether the server that runs with them is ready
    COMMAND_LINE_ANSWERED, // nothing is left to do
    COMMAND_LINE_WRONG,    // there are mistakes
    COMMAND_LINE_UNREAD,   // a file of settings can't be read now
};

// `mistakes` is empty, and gets a sentence for each.
MUST_CHECK enum command_line command_line_read(const struct app_program *program, int argc, char **argv,
                                               struct app_settings *ret_settings,
                                               struct grpc_server_settings *ret_transport,
                                               struct sentences mistakes);

#endif
