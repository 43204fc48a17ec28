// ValidationService of the contract, and Authorization of Envoy, as parts of a server: the second in a
// process that has the first, behind it in the list.
#ifndef LATCHKEY_SERVICES_VALIDATOR_VALIDATOR_SERVICE_H
#define LATCHKEY_SERVICES_VALIDATOR_VALIDATOR_SERVICE_H

#include "common/app/app.h"

extern const struct app_service validator_service;
extern const struct app_service ext_authz_service;

// What the second takes from the first, between its start() and stop().
struct validate_service;
const struct validate_service *validator_service_get(void);
const char *validator_service_get_cookie(void); // --check-cookie

#endif
