// Which loop gets a connection: the one that has the fewest. Counts those of each loop, over all listeners
// that share it. Any thread, without a lock.
//
// As long as none ends, no loop has two more than another, however many come at once. Those that have come
// stay where they are: what ends may leave the others lopsided, until new ones have come.
#ifndef LATCHKEY_COMMON_NET_CONNECTION_BALANCE_H
#define LATCHKEY_COMMON_NET_CONNECTION_BALANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"

struct connection_balance;

// Of loops 0 .. loop_count-1. NO_MEMORY. *ret_balance is owned.
MUST_CHECK enum status connection_balance_new(size_t loop_count, struct connection_balance **ret_balance);
void connection_balance_free(struct connection_balance *balance); // takes NULL

// One more, that `loop` has accepted. Returns the loop that gets it, where it is counted: `loop` itself
// unless another, that is not wary, has fewer.
MUST_CHECK size_t connection_balance_add(struct connection_balance *balance, size_t loop);

// One that was counted for `loop` has ended.
void connection_balance_remove(struct connection_balance *balance, size_t loop);

// A wary loop refuses connections. It is given none by others: it has the fewest because it sends them away,
// and would draw all that come back.
void connection_balance_set_wary(struct connection_balance *balance, size_t loop, bool is_wary);

// How many there are, those on their way to the loop with them.
size_t connection_balance_get_count(const struct connection_balance *balance, size_t loop);

#endif
