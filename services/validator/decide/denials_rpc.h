// ListDenials, as the transport calls it: for bearers with `latchkey.validate.denials`. What the loops have
// noted (denial_log.h) is gathered, added up where it is alike, and sorted, when somebody asks.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_DENIALS_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_DENIALS_RPC_H

#include "services/validator/decide/explain_rpc.h"

// Its context is a struct lookup_service.
extern const struct grpc_handler list_denials_handler;

#endif
