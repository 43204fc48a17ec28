// WhitelistService of the contract, as a part of a server.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_SERVICE_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_SERVICE_H

#include "common/app/app.h"
#include "services/whitelist/whitelist_rules.h"

extern const struct app_service whitelist_service;

// Its settings: filled before the first call, then const.
extern struct whitelist_limits whitelist_limits;

#endif
