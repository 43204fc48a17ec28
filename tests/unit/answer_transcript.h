// What a server has said on each stream, read from its bytes: header fields, body, and how the stream ended,
// however that was cut into frames and whatever came of other streams in between. For comparing two ways of
// saying it.
#ifndef LATCHKEY_TESTS_UNIT_ANSWER_TRANSCRIPT_H
#define LATCHKEY_TESTS_UNIT_ANSWER_TRANSCRIPT_H

#include "common/base/buffer.h"

// Appends a text of all streams to `to`, in the order of their numbers; stream 0 is GOAWAY. Asserts that it
// is whole frames, and header blocks that a client understands.
void answer_transcript_write(struct bytes said, struct buffer *to);

#endif
