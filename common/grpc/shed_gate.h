// Between the bytes of a connection and nghttp2, while its loop refuses calls: what belongs to a call that is
// refused costs next to nothing. A header block that leaves HPACK's state as it is, which is nearly every one
// of a client that says the same again and again, is not shown to the library, nor is a body, but for its
// length. What has to be shown goes by the number of one stream that is closed, so that HPACK's state, the
// windows and the budgets stay right and the rest is ignored. That stream is the first one that was never
// shown, or the first of the connection once the library has forgotten it.
//
// Heads of frames are handed on as a whole, everything else as it comes.
#ifndef LATCHKEY_COMMON_GRPC_SHED_GATE_H
#define LATCHKEY_COMMON_GRPC_SHED_GATE_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

enum { SHED_GATE_HEAD_BYTES = 9, SHED_GATE_REFUSED_MAX = 512 };

struct shed_gate {
    uint8_t head[SHED_GATE_HEAD_BYTES]; // of a frame, as far as it has come
    uint8_t head_len;
    bool is_open;                  // `closed_stream` is forgotten, and may be named
    bool is_in_block;              // CONTINUATION follows
    bool is_dropping;              // the payload that is arriving is not shown
    uint32_t payload_left;         // of a frame, or of the preface
    uint32_t dropped_bytes;        // of DATA, that the windows do not count yet
    int32_t closed_stream;         // the first of the connection; 0 = none yet
    int32_t last_stream;           // the highest that the client has opened
    int32_t first_shed, last_shed; // between them are all that were refused; 0 = none
    int32_t latest_shed, latest_passed;
};

// What a read may begin, and what has become of it.
struct shed_gate_read {
    nghttp2_session *session;
    unsigned quota;      // calls that may still begin
    bool may_refuse;     // here; else what is beyond the quota is handed on as well
    int32_t *over_quota; // the first call of these; INT32_MAX = none yet
    size_t refused_count;
    int32_t *refused; // room for SHED_GATE_REFUSED_MAX
};

void shed_gate_init(struct shed_gate *gate);

// Hands `bytes` on. Less than zero: nghttp2's error.
ssize_t shed_gate_take(struct shed_gate *gate, struct shed_gate_read *read, struct bytes bytes);

// Whether this stands for streams of calls that were refused.
static inline bool shed_gate_is_stand_in(const struct shed_gate *gate, int32_t stream) {
    return gate->is_open && stream == gate->closed_stream;
}

// Writes the number of the stream into the head of a frame.
void shed_gate_set_stream(uint8_t *head, int32_t stream);

// Whether HPACK's state is the same before and after this header block.
bool shed_gate_is_stateless(struct bytes block);

#endif
