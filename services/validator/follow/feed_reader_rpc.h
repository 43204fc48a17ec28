// What a feeder tells into an image: rows as image.h takes them, in the order of the contract (feed.proto).
// Nothing of a message is trusted to have its form, but the feeder is to be right.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_FEED_READER_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_FEED_READER_RPC_H

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "latchkey/v1/feed.pb-c.h"
#include "services/validator/image/image.h"

// Embedded; zeroed memory has gathered nothing.
struct feed_reader {
    struct image *image;    // borrows
    struct arena *arena;    // borrows: of one message
    struct buffer entries;  // struct ip_set_entry, of a list that goes on in the next message
    struct buffer prefixes; // struct ip_prefix, the same
    uint64_t row_count;     // so far
};

void feed_reader_fini(struct feed_reader *reader);

// Forgets what was gathered.
void feed_reader_reset(struct feed_reader *reader);

// In a pass (image.h) that began with the run, or with this message of a snapshot. MALFORMED: not what the
// contract allows; INVALID: a kind of look-up that this release does not know, so that it can't follow. After
// any failure the image is neither old nor new in what the run is about.
MUST_CHECK enum status feed_reader_apply(struct feed_reader *reader, const Latchkey__V1__FeedRows *rows);

#endif
