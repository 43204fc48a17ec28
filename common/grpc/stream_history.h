// What a connection remembers of the streams that its client has opened: enough to know a HEADERS frame that
// comes for one which can't have any (RFC 9113, 5.1 and 5.1.1). The library remembers closed streams with all
// that they were, as many as may be open, which is more memory than a core's cache holds; here one bit is
// left of each.
#ifndef LATCHKEY_COMMON_GRPC_STREAM_HISTORY_H
#define LATCHKEY_COMMON_GRPC_STREAM_HISTORY_H

#include <stdint.h>

// The latest ids of which it is known how they ended. A power of two.
#define STREAM_HISTORY_IDS 1024

enum stream_standing {
    STREAM_NEW,     // never seen, and the highest so far
    STREAM_KNOWN,   // open, or reset, or too long ago: what comes may have been under way
    STREAM_ENDED,   // closed, and by its client's own END_STREAM: a client that sends more is broken
    STREAM_SKIPPED, // passed over by a higher one, which has closed it
};

struct stream_history {
    int32_t last_id;             // the highest that the client has opened
    int32_t gap_first, gap_last; // the latest ones that it has skipped; 0 = none
    uint64_t ended[STREAM_HISTORY_IDS / 64];
};

void stream_history_init(struct stream_history *history);

// HEADERS have come for `id`, which is odd or will be refused by the library.
enum stream_standing stream_history_note_headers(struct stream_history *history, int32_t id);

// The stream is closed, and its client had ended it.
void stream_history_note_ended(struct stream_history *history, int32_t id);

#endif
