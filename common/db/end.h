// The end of a process, as its connections see it. Until then an answer of the database is waited for until
// its own deadline. From then on no wait lasts longer than two seconds, so that a database that has gone
// silent can't keep a process whose callers are gone.
#ifndef LATCHKEY_COMMON_DB_END_H
#define LATCHKEY_COMMON_DB_END_H

#include <poll.h>

#include "common/base/compiler.h"
#include "common/base/status.h"

struct db_end;

// EXHAUSTED, NO_MEMORY.
MUST_CHECK enum status db_end_new(struct db_end **ret_end);

// After all connections that know of it. Takes NULL.
void db_end_free(struct db_end *end);

// From any thread: it has come, also for those who wait already. There is no way back. Takes NULL.
void db_end_begin(struct db_end *end);

// poll(2) of fds[0] to fds[count - 1]; fds[count] is room for the end's own. `end` may be NULL: none comes.
int db_end_poll(const struct db_end *end, struct pollfd *fds, nfds_t count, int timeout_ms);

#endif
