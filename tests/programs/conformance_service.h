// connectrpc.conformance.v1.ConformanceService, which answers as each request says. Unimplemented is not
// there.
#ifndef LATCHKEY_TESTS_PROGRAMS_CONFORMANCE_SERVICE_H
#define LATCHKEY_TESTS_PROGRAMS_CONFORMANCE_SERVICE_H

#include "common/grpc/router.h"

struct router_table conformance_service_get_table(void);

#endif
