// When may the writer free what it has unpublished? When every reader has been between two turns since: a
// loop thread is a reader only while it serves, and holds nothing from one turn to the next. This is
// liburcu's QSBR (quiescent-state-based reclamation) behind five names: entering and leaving cost a reader
// one store each, reading costs nothing at all.
//
// The pairs of memory orders: the writer publishes a pointer with a release store, the reader takes it with
// an acquire load. quiescence_wait() orders all that readers did before they went offline before the free.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_QUIESCENCE_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_QUIESCENCE_H

// Once on each reader's thread. A thread starts offline.
void quiescence_enter_thread(void);
void quiescence_leave_thread(void);

// Reader: between the two it may hold what it has read. Not nested. A writer waits for a reader that is
// online, so no reader sleeps while it is.
void quiescence_go_online(void);
void quiescence_go_offline(void);

// Writer, not on a reader's thread: returns when every reader that was online at the call has been offline.
void quiescence_wait(void);

#endif
