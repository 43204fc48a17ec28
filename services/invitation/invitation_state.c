#include "services/invitation/invitation_state.h"

#include <assert.h>

// Zero: the event can't happen there.
static const enum invitation_state moves[INVITATION_STATE_COUNT][INVITATION_EVENT_COUNT] = {
    [INVITATION_PENDING] = {[INVITATION_RESEND] = INVITATION_PENDING,
                            [INVITATION_ACCEPT] = INVITATION_ACCEPTED,
                            [INVITATION_DEACTIVATE] = INVITATION_DEACTIVATED},
    [INVITATION_EXPIRED] =
        {[INVITATION_RESEND] = INVITATION_PENDING, [INVITATION_DEACTIVATE] = INVITATION_DEACTIVATED},
    [INVITATION_DEACTIVATED] = {[INVITATION_DEACTIVATE] = INVITATION_DEACTIVATED},
};

enum invitation_state invitation_state_of(char stored, int64_t expires_at_ms, int64_t now_ms) {
    switch (stored) {
    case 'p': return expires_at_ms > now_ms ? INVITATION_PENDING : INVITATION_EXPIRED;
    case 'a': return INVITATION_ACCEPTED;
    default: return INVITATION_DEACTIVATED;
    }
}

static enum status refuse(enum invitation_state from, struct fault *fault) {
    switch (from) {
    case INVITATION_ACCEPTED:
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "INVITATION_ACCEPTED",
                         "the invitation was accepted; its person is a member");
    case INVITATION_DEACTIVATED:
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "INVITATION_DEACTIVATED",
                         "the invitation was deactivated, which is for good; make a new one");
    default:
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "INVITATION_EXPIRED",
                         "the invitation has expired; send it again");
    }
}

enum status invitation_move(enum invitation_state from, enum invitation_event event, struct fault *fault,
                            enum invitation_state *ret_to) {
    assert(from > INVITATION_ANY && from < INVITATION_STATE_COUNT && event < INVITATION_EVENT_COUNT);
    enum invitation_state to = moves[from][event];
    if (to == INVITATION_ANY)
        return refuse(from, fault);
    *ret_to = to;
    return STATUS_OK;
}
