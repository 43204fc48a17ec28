// ValidationService of the contract, as a part of a server.
#ifndef LATCHKEY_SERVICES_VALIDATOR_VALIDATOR_SERVICE_H
#define LATCHKEY_SERVICES_VALIDATOR_VALIDATOR_SERVICE_H

#include "common/app/app.h"

extern const struct app_service validator_service;

#endif
