// CheckHistory on the wire: what a validator tells of a loss (loss_message.h) and how that stands, each to
// its message and back. Whoever reads believes nothing: any bytes are a message, or refused.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_LOSS_WIRE_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_LOSS_WIRE_RPC_H

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "latchkey/v1/feed.pb-c.h"
#include "services/validator/follow/loss_message.h"

// All that the request points to is in the arena or the message. NO_MEMORY.
MUST_CHECK enum status loss_wire_write_request(const struct loss_message *message, struct arena *arena,
                                               Latchkey__V1__CheckHistoryRequest *ret_request);

struct loss_told {
    struct loss_message message; // points to what follows: stays where it is
    int64_t seqs[LANE_COUNT], marks[LANE_COUNT];
};

// Borrows the request; the rest is in the arena. INVALID with the fields in the fault: of each list the first
// that is wrong. NO_MEMORY.
MUST_CHECK enum status loss_wire_read_request(const Latchkey__V1__CheckHistoryRequest *request,
                                              struct arena *arena, struct fault *fault,
                                              struct loss_told *ret_told);

// As a request's. NO_MEMORY.
MUST_CHECK enum status loss_wire_write_response(const struct loss_standing *standing, struct arena *arena,
                                                Latchkey__V1__CheckHistoryResponse *ret_response);

// MALFORMED. A standing that is not known is no leave to go on: LOSS_COMPARED.
MUST_CHECK enum status loss_wire_read_response(const Latchkey__V1__CheckHistoryResponse *response,
                                               struct loss_standing *ret_standing);

#endif
