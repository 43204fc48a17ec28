// A connection of its own that waits for NOTIFY. A notification is only a hint ("look now"): several may
// arrive as one, and after a lost connection has come back db_listener_wait() reports one that nobody sent,
// because some may have been missed. Reconnecting is its own business, with growing pauses.
#ifndef LATCHKEY_COMMON_DB_LISTEN_H
#define LATCHKEY_COMMON_DB_LISTEN_H

#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connection.h"

struct db_listener;

enum db_listen_event {
    DB_LISTEN_TIMED_OUT,
    DB_LISTEN_NOTIFIED,
    DB_LISTEN_WOKEN, // by db_listener_wake()
};

// Opens nothing yet. Texts of `options` and `channel` (an SQL identifier in lower case) are borrowed.
MUST_CHECK enum status db_listener_new(const struct db_connection_options *options, const char *channel,
                                       struct db_listener **ret_listener);
void db_listener_free(struct db_listener *listener); // takes NULL

// One thread. Returns after `timeout_ms` at the latest, but for the time that an attempt to connect takes.
// Also without a connection it keeps to the time-out.
enum db_listen_event db_listener_wait(struct db_listener *listener, uint32_t timeout_ms);

// Any thread: the present or the next db_listener_wait() returns at once.
void db_listener_wake(struct db_listener *listener);

#endif
