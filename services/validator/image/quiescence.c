#include "services/validator/image/quiescence.h"

#include <urcu-qsbr.h>

// ThreadSanitizer can't see the barriers inside liburcu: it is told what they order.
#if defined(__SANITIZE_THREAD__)
#define TELL_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TELL_SANITIZER 1
#endif
#endif

#ifdef TELL_SANITIZER
void __tsan_acquire(void *address);
void __tsan_release(void *address);
static char grace_period;
#define READER_IS_DONE() __tsan_release(&grace_period)
#define READERS_ARE_DONE() __tsan_acquire(&grace_period)
#else
#define READER_IS_DONE() ((void)0)
#define READERS_ARE_DONE() ((void)0)
#endif

void quiescence_enter_thread(void) {
    rcu_register_thread();
    rcu_thread_offline();
}

void quiescence_leave_thread(void) {
    READER_IS_DONE();
    rcu_unregister_thread();
}

void quiescence_go_online(void) {
    rcu_thread_online();
}

void quiescence_go_offline(void) {
    READER_IS_DONE();
    rcu_thread_offline();
}

void quiescence_wait(void) {
    synchronize_rcu();
    READERS_ARE_DONE();
}
