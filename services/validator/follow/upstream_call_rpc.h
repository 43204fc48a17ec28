// The inside of an upstream: the call to the feeder, message by message. What they mean is upstream_rpc.c's.
// The follower's thread; the sentence of a failure goes to `follower->failure`.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_UPSTREAM_CALL_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_UPSTREAM_CALL_RPC_H

#include <string.h>

#include "common/grpc_client/client_stream.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/follow/feed_reader_rpc.h"
#include "services/validator/follow/follower_internal.h"
#include "services/validator/follow/nonce_ring.h"
#include "services/validator/follow/upstream_rpc.h"

// What has been applied here at last, over every load (docs/model/loss.pml).
struct upstream_memory {
    int64_t seqs[LANE_COUNT], marks[LANE_COUNT]; // 0 = nothing
    struct uuid report_id;                       // of its loss, should there be one; zero = not drawn yet
    bool is_told;                                // all that is to be told of that
    bool has_image;                              // what the image has is in it, or was given up
};

struct upstream {
    struct upstream_options options;
    struct grpc_client *client;
    struct grpc_client_stream *stream; // NULL = none now
    struct arena arena;                // of one message
    struct feed_reader reader;
    struct uuid instance_id;
    struct upstream_memory memory;
    uint64_t feed; // that the image is from
    struct fingerprint_key key;
    struct nonce_ring nonces; // of this call
    uint64_t asked_ns;        // monotonic, when the last one was
    bool is_awaited;          // the last one's answer has not come
    bool has_news;            // that the feeder does not know to be applied
};

enum beginning { FROM_NOTHING, FROM_POSITIONS };

// A new call in place of the present one, up to the feeder's first message. `ret_fault` is what a failure
// means, until the next message is read or sent.
MUST_CHECK enum status upstream_call_open(struct follower *follower, enum beginning beginning,
                                          struct fault *ret_fault);
void upstream_call_close(struct follower *follower);

// The positions that everybody has reached whom we feed; a nonce asks for more time, 0 = it does not.
MUST_CHECK enum status upstream_call_tell(struct follower *follower, const int64_t told[LANE_COUNT],
                                          uint64_t nonce);

// The next message, in the upstream's arena, which is emptied before. NOT_FOUND: nothing came in time, or a
// hint did.
MUST_CHECK enum status upstream_call_read(struct follower *follower, int64_t timeout_ms,
                                          struct fault *ret_fault,
                                          const Latchkey__V1__WatchChangesResponse **ret_message);

// A call of its own beside the stream. The answer is in `arena`, and so is the fault.
MUST_CHECK enum status upstream_call_ask(struct follower *follower, const char *path,
                                         const ProtobufCMessage *request,
                                         const ProtobufCMessageDescriptor *response, struct arena *arena,
                                         ProtobufCMessage **ret_response);

// The same of one that has to come in time.
MUST_CHECK enum status upstream_call_await(struct follower *follower, int64_t timeout_ms,
                                           struct fault *ret_fault,
                                           const Latchkey__V1__WatchChangesResponse **ret_message);

static inline bool upstream_call_has_reason(const struct fault *fault, const char *reason) {
    return fault->reason && strcmp(fault->reason, reason) == 0;
}

#endif
