// What the feed says beside rows: how it begins, how far it has come, and what it vouches for. Each function
// appends framed messages of WatchChangesResponse (feed.proto).
#ifndef LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_MESSAGE_H
#define LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/crypto/fingerprint.h"
#include "services/validator/image/lanes.h"

#define FEED_FORMAT 1

void feed_message_add_opening(struct buffer *frames, uint64_t feed, const struct fingerprint_key *key);

// The changes of a run, ascending in their lanes. None: nothing is added.
void feed_message_add_applied(struct buffer *frames, const struct revision *changes, size_t count);

struct feed_answer {
    uint64_t nonce;
    uint64_t valid_ns;
    int64_t now_ms;
};
void feed_message_add_answer(struct buffer *frames, const struct feed_answer *answer,
                             const struct positions *heads);

#endif
