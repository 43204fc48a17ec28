// What a server asks of the kernel for its own process, before anything else runs in it.
#ifndef LATCHKEY_COMMON_APP_PROCESS_H
#define LATCHKEY_COMMON_APP_PROCESS_H

// Nothing of its memory, which holds what callers sent, gets into a core dump, or to another process of the
// same user: no core is written, and one that the system writes all the same is without data (core(5):
// coredump_filter, prctl(2): PR_SET_DUMPABLE). As many file descriptors as it may have: the usual 1024 is
// less than --max-connections. What is freed is kept for use again, up to 16 MiB for each thread. Asks for no
// privilege; what the system does not grant is left.
void process_set_up(void);

#endif
