// ValidateStream, as the transport calls it: questions are copied as they come and decided a portion a turn
// (backlog.h); while 64 KiB of them wait, nothing more is read, and the client's window fills up. A question
// whose min_revision is not reached waits by itself and lets the others pass.
//
// Who asks, and whether the validator is current, is looked at anew for each portion: a stream goes on no
// longer than its asker's token.
//
// What one stream holds is bounded: 64 KiB of questions, VALIDATE_STREAM_PARKED_MAX of those that wait,
// and their answers while the client does not read; what all streams hold, by --request-memory.
//
//   on_bytes --> asked --run()--> answers --> the transport
//                  |                ^
//                  v                |
//                parked ------------+  reached, or waited long enough
//
// It ends OK when the client has ended its side and all is answered; with DRAINING when the connection is to
// end, and all that was read is answered.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_STREAM_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_STREAM_RPC_H

#include "common/grpc/method.h"
#include "services/validator/decide/validate_service.h"

// Questions of one stream that wait for their min_revision; one more is NOT_CURRENT at once.
#define VALIDATE_STREAM_PARKED_MAX 256

// Its context is a struct validate_service.
extern const struct grpc_handler validate_stream_handler;

#endif
