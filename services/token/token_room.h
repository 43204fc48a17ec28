// How many tokens companies may make before theirs are counted again: to count a million takes longer than
// to make one, and a limit of a million need not hold to the last token.
//
// After each counting a tenth of the room that was left may be used up, for ten minutes at most, by each
// server. So the closer to the limit, the more often it is counted: with less than ten left, each time. Any
// thread.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_ROOM_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/uuid.h"

// Takes a place for one token. False: none is known of, so count.
bool token_room_take(struct uuid company_id, int64_t now_ms);

// What counting has found.
void token_room_note(struct uuid company_id, int64_t room, int64_t now_ms);

#endif
