// The signals that tell a server what to do. They are blocked in every thread; the main thread takes them one
// by one.
#ifndef LATCHKEY_COMMON_APP_SIGNALS_H
#define LATCHKEY_COMMON_APP_SIGNALS_H

#include <signal.h>
#include <stdint.h>

// SIGTERM and SIGINT stop, SIGHUP has files read again, SIGUSR1 is the process's word to itself: look again.
// Before any thread: all inherit it. A write to a closed connection is an error from here on, no SIGPIPE.
void signals_block(sigset_t *ret_signals);

// The signal that came, or 0 after `ms` without one.
int signals_wait(const sigset_t *signals, int64_t ms);

#endif
