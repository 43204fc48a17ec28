// The other end of /readyz: asks the server that runs with the same settings whether it is ready. For health
// checks of containers, where no other program could ask.
#ifndef LATCHKEY_COMMON_APP_READY_PROBE_H
#define LATCHKEY_COMMON_APP_READY_PROBE_H

#include "common/base/compiler.h"

// `admin_listen` as in the settings; NULL: there is no admin port. Prints what the server answers, and
// returns the exit status: OK, UNAVAILABLE for whatever is not a good answer within five seconds, USAGE.
MUST_CHECK int ready_probe(const char *admin_listen);

#endif
