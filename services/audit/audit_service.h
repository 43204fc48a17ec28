// AuditService of the contract, as a part of every management server: the log read and verified; its heads
// exported, and counted refusals given their events, by jobs.
#ifndef LATCHKEY_SERVICES_AUDIT_AUDIT_SERVICE_H
#define LATCHKEY_SERVICES_AUDIT_AUDIT_SERVICE_H

#include "common/app/app.h"

extern const struct app_service audit_service;

#endif
