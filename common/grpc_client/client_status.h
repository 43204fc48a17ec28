// The other half of status_details.h: a fault as a client reads it from grpc-status, grpc-message and
// grpc-status-details-bin.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_STATUS_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_STATUS_H

#include "common/base/bytes.h"
#include "common/base/fault.h"
#include "common/base/status.h"

// Fills the empty `fault`, copying into its arena: also `reason`, which then lives as long as the fault.
// Details that can't be read are left out: they explain the status and don't change it. `code` is not 0.
// Returns the fault's status.
enum status client_status_decode(unsigned code, struct bytes message, struct bytes details,
                                 struct fault *fault);

#endif
