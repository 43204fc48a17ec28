#include "common/grpc/call_state.h"

#include <assert.h>

// CALL_HEADERS is where no event leads, so zero marks what cannot happen.
static const enum call_state table[CALL_STATE_COUNT][CALL_EVENT_COUNT] = {
    [CALL_HEADERS] =
        {[CALL_MATCHED] = CALL_WAITING, [CALL_OVERRULE] = CALL_ANSWERED, [CALL_LOST] = CALL_CLOSED},
    [CALL_WAITING] =
        {[CALL_STARTED] = CALL_RUNNING, [CALL_OVERRULE] = CALL_ANSWERED, [CALL_LOST] = CALL_CLOSED},
    [CALL_RUNNING] =
        {[CALL_FINISHED] = CALL_ANSWERED, [CALL_OVERRULE] = CALL_OVERRULED, [CALL_LOST] = CALL_ORPHANED},
    [CALL_OVERRULED] = {[CALL_FINISHED] = CALL_ANSWERED, [CALL_LOST] = CALL_ORPHANED},
    [CALL_ORPHANED] = {[CALL_FINISHED] = CALL_CLOSED},
    [CALL_ANSWERED] = {[CALL_LOST] = CALL_CLOSED},
};

enum call_state call_state_after(enum call_state state, enum call_event event) {
    enum call_state to = table[state][event];
    assert(to != CALL_HEADERS);
    return to;
}
