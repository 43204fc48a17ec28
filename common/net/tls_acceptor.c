// Two queues, because whoever means it says what it wants with its first packet: so those who have not cost
// nothing to drop (stream_tls.c), and a crowd of them keeps nobody out, however fast it comes again. Those
// who have been answered have cost a signature, and are left to finish; what comes above that is refused at
// the door.
#include "common/net/tls_acceptor.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/net/stream_tls.h"

#define NS_PER_MS UINT64_C(1000000)

enum { PATIENCE_MS = 1000, LOG_EVERY_MS = 1000 };

struct handshake {
    struct handshake_queue *queue;
    struct handshake *newer, *older;
    struct tls_acceptor *acceptor;
    struct stream *stream;
    struct timer timer;
    uint64_t began_ns;
};

// In the order of their coming.
struct handshake_queue {
    struct handshake *newest, *oldest;
};

struct tls_acceptor {
    struct tls_acceptor_options options;
    struct handshake_queue unheard, answered; // before and after the peer has said what it wants
    size_t count;                             // of both
    uint64_t log_after_ns;                    // failures before are counted and not told
    uint64_t untold;
};

enum status tls_acceptor_new(const struct tls_acceptor_options *options, struct tls_acceptor **ret_acceptor) {
    struct tls_acceptor *acceptor = calloc(1, sizeof(*acceptor));
    if (!acceptor)
        return STATUS_NO_MEMORY;
    acceptor->options = *options;
    *ret_acceptor = acceptor;
    return STATUS_OK;
}

void tls_acceptor_free(struct tls_acceptor *acceptor) {
    assert(!acceptor || acceptor->count == 0);
    free(acceptor);
}

static uint64_t get_now_ns(const struct tls_acceptor *acceptor) {
    return loop_get_monotonic_ns(acceptor->options.loop);
}

// ---- those under way ----

static void enter(struct handshake_queue *queue, struct handshake *handshake) {
    handshake->queue = queue;
    handshake->newer = NULL;
    handshake->older = queue->newest;
    *(handshake->older ? &handshake->older->newer : &queue->oldest) = handshake;
    queue->newest = handshake;
}

static void leave(struct handshake *handshake) {
    struct handshake_queue *queue = handshake->queue;
    *(handshake->newer ? &handshake->newer->older : &queue->newest) = handshake->older;
    *(handshake->older ? &handshake->older->newer : &queue->oldest) = handshake->newer;
}

// Forgets the handshake and returns its stream.
static struct stream *take_out(struct handshake *handshake) {
    struct tls_acceptor *acceptor = handshake->acceptor;
    struct stream *stream = handshake->stream;
    loop_disarm_timer(acceptor->options.loop, &handshake->timer);
    leave(handshake);
    acceptor->count--;
    free(handshake);
    return stream;
}

static void refuse(struct tls_acceptor *acceptor, struct stream *stream, enum tls_refusal why) {
    // What TLS has to say about it leaves first.
    stream_close(stream, why == TLS_REFUSAL_FAILED ? STREAM_CLOSE_FLUSH : STREAM_CLOSE_NOW);
    acceptor->options.on_refused(acceptor->options.context, why);
}

// One a second: who fails all the time does not fill the log.
static void tell_failure(struct tls_acceptor *acceptor, const struct stream *stream) {
    uint64_t now_ns = get_now_ns(acceptor);
    if (now_ns < acceptor->log_after_ns) {
        acceptor->untold++;
        return;
    }
    char peer[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(stream_get_peer(stream), peer);
    log_event(LOG_LEVEL_INFO, "TLS handshake failed", LOG_TEXT("peer", peer),
              LOG_TEXT("reason", stream_tls_get_failure(stream)), LOG_INTEGER("untold", acceptor->untold));
    acceptor->log_after_ns = now_ns + LOG_EVERY_MS * NS_PER_MS;
    acceptor->untold = 0;
}

static void on_answered(void *context) {
    struct handshake *handshake = context;
    leave(handshake);
    enter(&handshake->acceptor->answered, handshake);
}

// ---- how they end ----

static enum tls_refusal refusal_of(enum status status) {
    switch (status) {
    case STATUS_CLOSED: return TLS_REFUSAL_PEER_CLOSED;
    case STATUS_NO_MEMORY: return TLS_REFUSAL_NO_MEMORY;
    default: return TLS_REFUSAL_FAILED;
    }
}

static void on_end(void *context, struct stream *stream, enum status status) {
    struct handshake *handshake = context;
    struct tls_acceptor *acceptor = handshake->acceptor;
    (void)take_out(handshake);
    if (status == STATUS_OK) {
        acceptor->options.on_accept(acceptor->options.context, stream);
        return;
    }
    if (refusal_of(status) == TLS_REFUSAL_FAILED)
        tell_failure(acceptor, stream);
    refuse(acceptor, stream, refusal_of(status));
}

static void on_timeout(struct timer *timer) {
    struct handshake *handshake = CONTAINER_OF(timer, struct handshake, timer);
    struct tls_acceptor *acceptor = handshake->acceptor;
    refuse(acceptor, take_out(handshake), TLS_REFUSAL_TIMEOUT);
}

// ---- how they begin ----

static bool is_throttled(const struct tls_acceptor *acceptor, const struct stream *plain) {
    int64_t retry_in_ms; // nobody is told
    struct throttle *throttle = acceptor->options.throttle;
    if (stream_is_peer_local(plain))
        return false;
    return throttle && !throttle_take(throttle, stream_get_peer(plain), get_now_ns(acceptor), &retry_in_ms);
}

static bool make_room(struct tls_acceptor *acceptor) {
    if (acceptor->count < (size_t)acceptor->options.max_handshakes)
        return true;
    struct handshake *oldest = acceptor->unheard.oldest;
    if (!oldest) {
        oldest = acceptor->answered.oldest;
        if (get_now_ns(acceptor) < oldest->began_ns + PATIENCE_MS * NS_PER_MS)
            return false;
    }
    refuse(acceptor, take_out(oldest), TLS_REFUSAL_BUDGET);
    return true;
}

static enum status begin(struct tls_acceptor *acceptor, struct stream *plain) {
    struct handshake *handshake = calloc(1, sizeof(*handshake));
    if (!handshake)
        return STATUS_NO_MEMORY;
    const struct stream_tls_handshake callbacks = {on_answered, on_end, handshake};
    handshake->acceptor = acceptor;
    handshake->timer.on_due = on_timeout;
    handshake->began_ns = get_now_ns(acceptor);
    enum status status = stream_tls_open(plain, acceptor->options.server, &callbacks, &handshake->stream);
    if (status != STATUS_OK) {
        free(handshake);
        return status;
    }
    enter(&acceptor->unheard, handshake);
    acceptor->count++;
    loop_arm_timer(acceptor->options.loop, &handshake->timer,
                   handshake->began_ns + (uint64_t)acceptor->options.timeout_ms * NS_PER_MS);
    return STATUS_OK;
}

void tls_acceptor_take(struct tls_acceptor *acceptor, struct stream *plain) {
    if (is_throttled(acceptor, plain) || !make_room(acceptor))
        refuse(acceptor, plain, TLS_REFUSAL_BUDGET);
    else if (begin(acceptor, plain) != STATUS_OK)
        refuse(acceptor, plain, TLS_REFUSAL_NO_MEMORY);
}

size_t tls_acceptor_get_count(const struct tls_acceptor *acceptor) {
    return acceptor->count;
}

void tls_acceptor_drop(struct tls_acceptor *acceptor) {
    while (acceptor->unheard.oldest)
        stream_close(take_out(acceptor->unheard.oldest), STREAM_CLOSE_NOW);
    while (acceptor->answered.oldest)
        stream_close(take_out(acceptor->answered.oldest), STREAM_CLOSE_NOW);
}
