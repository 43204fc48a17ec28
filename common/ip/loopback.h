// Names of this machine for itself, which lead to nobody else's.
#ifndef LATCHKEY_COMMON_IP_LOOPBACK_H
#define LATCHKEY_COMMON_IP_LOOPBACK_H

#include <stdbool.h>

#include "common/base/bytes.h"

// localhost, 127.0.0.0/8, ::1; the last with or without its brackets. No port.
bool loopback_is_host(struct bytes host);

#endif
