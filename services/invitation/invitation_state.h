// The life of an invitation:
//
//              +--resend--+
//              v          |
//   created -> PENDING ---+--accept------> ACCEPTED
//              |    ^     |
//       72 h   |    |     +--deactivate--> DEACTIVATED <--+
//              v    |                          ^  |       |
//              EXPIRED --resend (to PENDING)   |  +-------+ deactivate: nothing happens
//                 +-----------deactivate-------+
//
// Expiring changes nothing in the database: whoever reads compares with the time. invitation_move() is the
// only door to another state.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_STATE_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_STATE_H

#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"

// Numbers of latchkey.v1.InvitationState.
enum invitation_state {
    INVITATION_ANY = 0, // in a filter
    INVITATION_PENDING = 1,
    INVITATION_ACCEPTED = 2,
    INVITATION_EXPIRED = 3,
    INVITATION_DEACTIVATED = 4,
    INVITATION_STATE_COUNT,
};

enum invitation_event {
    INVITATION_RESEND,
    INVITATION_ACCEPT,
    INVITATION_DEACTIVATE,
    INVITATION_EVENT_COUNT,
};

// From what is stored: 'p', 'a' or 'd', and the end. An expired invitation is a pending one whose time is
// over.
enum invitation_state invitation_state_of(char stored, int64_t expires_at_ms, int64_t now_ms);

// FAILED_PRECONDITION (INVITATION_ACCEPTED, INVITATION_DEACTIVATED, INVITATION_EXPIRED) where the event can't
// happen in that state.
MUST_CHECK enum status invitation_move(enum invitation_state from, enum invitation_event event,
                                       struct fault *fault, enum invitation_state *ret_to);

#endif
