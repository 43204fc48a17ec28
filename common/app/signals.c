#include "common/app/signals.h"

#include <pthread.h>
#include <time.h>

void signals_block(sigset_t *ret_signals) {
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGUSR1);
    sigaddset(ret_signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int signals_wait(const sigset_t *signals, int64_t ms) {
    struct timespec timeout = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    int number = sigtimedwait(signals, NULL, &timeout);
    return number > 0 ? number : 0;
}
