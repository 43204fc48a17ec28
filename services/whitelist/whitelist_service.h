// WhitelistService of the contract, as a part of a server.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_SERVICE_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_SERVICE_H

#include "common/app/app.h"

extern const struct app_service whitelist_service;

#endif
