// The life of a call on the server. Two things end independently: the stream, and the handler's work; the
// call is freed when both have. The one door is call_move().
//
//     HEADERS --matched--> WAITING --started--> RUNNING --finished--> ANSWERED --closed--> CLOSED
//        |                    |                    |                     ^  ^
//        |                    |                    +--overruled--> OVERRULED |   (deadline, bad message: the
//        transport |                    |                    |                |        |    has answered, the
//        handler still works)
//        +-----overruled------+--------------------|----------------|--------+
//                                                  |                |
//                                                  +---closed-------+--> ORPHANED --finished--> CLOSED
//
// From HEADERS and WAITING `closed` leads straight to CLOSED.
#ifndef LATCHKEY_COMMON_GRPC_CALL_STATE_H
#define LATCHKEY_COMMON_GRPC_CALL_STATE_H

#include <stdbool.h>

enum call_state {
    CALL_HEADERS,   // the header block is arriving
    CALL_WAITING,   // the method is known; the request is arriving
    CALL_RUNNING,   // the handler has been called and has yet to finish
    CALL_OVERRULED, // the transport has answered in its place; it has been told, and has yet to finish
    CALL_ORPHANED,  // nobody is there to be answered; it has been told, and has yet to finish
    CALL_ANSWERED,  // the last frame is queued; the handler is done or was never called
    CALL_CLOSED,    // to be freed
    CALL_STATE_COUNT
};

enum call_event {
    CALL_MATCHED,  // headers complete, method found
    CALL_STARTED,  // the handler gets its first callback
    CALL_FINISHED, // grpc_call_finish()
    CALL_OVERRULE, // the transport answers
    CALL_LOST,     // the stream is closed: ended, reset, or gone with its connection
    CALL_EVENT_COUNT
};

// Where `event` leads from `state`; asserts that it may happen there.
enum call_state call_state_after(enum call_state state, enum call_event event);

// The handler owes a grpc_call_finish().
static inline bool call_state_has_handler(enum call_state state) {
    return state == CALL_RUNNING || state == CALL_OVERRULED || state == CALL_ORPHANED;
}

// What the client sends is still of use.
static inline bool call_state_is_receiving(enum call_state state) {
    return state == CALL_WAITING || state == CALL_RUNNING;
}

#endif
