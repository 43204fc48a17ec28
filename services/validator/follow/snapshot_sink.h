// A snapshot file being written by a thread of its own, because a disk may block for as long as it likes: a
// new file beside the old one (PATH.new, mode 0600), which takes its place, once all of it is on the disk, in
// one step. Until then the old one stands, whatever happens.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_SINK_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/follow/snapshot_format.h"

struct snapshot_sink;

// Begins the file. Borrows the path. EXHAUSTED: no thread.
MUST_CHECK enum status snapshot_sink_new(const char *path, const struct snapshot_header *header,
                                         struct snapshot_sink **ret_sink);

// One thread; the end of the file is the last block. Takes what `rows` holds, and leaves it empty. Never
// blocks for the disk.
MUST_CHECK enum status snapshot_sink_put(struct snapshot_sink *sink, enum row_kind kind, struct buffer *rows);

// So much waits to be written that more would only take memory; also once it has failed.
bool snapshot_sink_is_full(struct snapshot_sink *sink);

// Returns when it is not full any more, or over.
void snapshot_sink_await_room(struct snapshot_sink *sink);

// Nothing more comes: the file is to be finished.
void snapshot_sink_end(struct snapshot_sink *sink);

// Nothing more comes, and what has come is of no use: CANCELLED.
void snapshot_sink_abandon(struct snapshot_sink *sink);

// The file is finished, given up or has failed: snapshot_sink_free() does not block any more.
bool snapshot_sink_is_over(struct snapshot_sink *sink);

// After one of the two, or once it is over: waits for the disk and frees the sink. OK: the file stands. Else
// `*ret_error` is the errno of what failed, 0 for no memory. `*ret_bytes`: what was written.
enum status snapshot_sink_free(struct snapshot_sink *sink, int *ret_error, uint64_t *ret_bytes);

#endif
