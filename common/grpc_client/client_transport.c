#include "common/grpc_client/client_transport.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/crypto/secret.h"
#include "common/crypto/tls_session.h"
#include "common/grpc_client/client.h"
#include "common/grpc_client/client_socket.h"

#define READ_BYTES 16384
#define WRITE_BYTES 65536 // enciphered at once: more waits until the socket has taken it
#define REFUSAL_MAX 200

// What the first byte of a TLS server can be: an alert or a handshake.
#define FIRST_BYTE_OF_ALERT 0x15
#define FIRST_BYTE_OF_HANDSHAKE 0x16

struct client_transport {
    const struct clock *clock;
    int fd, wake_fd; // the second: -1 = nobody wakes
    // Only with TLS.
    struct tls_session *session; // NULL = plaintext
    struct buffer plain;         // deciphered, not yet read
    struct buffer output;        // enciphered, not yet taken by the socket
    bool has_begun;              // a byte has come
    bool is_deaf;                // the peer takes nothing more; what it has said can still be read
    bool has_failed;
    char refusal[REFUSAL_MAX + 1]; // "" = none
};

// ---- the socket ----

// As client_transport_read() and client_transport_write() answer.
static ssize_t receive(int fd, uint8_t *to, size_t room) {
    ssize_t len;
    do
        len = recv(fd, to, room, 0);
    while (len < 0 && errno == EINTR);
    if (len < 0 && errno == EAGAIN)
        return 0;
    return len > 0 ? len : -1;
}

static ssize_t transmit(int fd, struct bytes bytes) {
    ssize_t len;
    do
        len = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
    while (len < 0 && errno == EINTR);
    return len < 0 && errno == EAGAIN ? 0 : len;
}

// ---- TLS ----

static void refuse(struct client_transport *transport, const char *why) {
    transport->has_failed = true;
    if (transport->refusal[0] == '\0')
        snprintf(transport->refusal, sizeof(transport->refusal), "%s", why);
}

static void flush(struct client_transport *transport) {
    while (transport->output.len > 0 && !transport->is_deaf) {
        ssize_t len = transmit(transport->fd, buffer_get_bytes(&transport->output));
        if (len == 0)
            return;
        transport->is_deaf = len < 0;
        if (len > 0)
            buffer_consume(&transport->output, (size_t)len);
    }
    if (transport->is_deaf)
        buffer_reset(&transport->output);
}

static void decipher(struct client_transport *transport, struct bytes input) {
    if (input.len > 0 && !transport->has_begun) {
        transport->has_begun = true;
        if (input.data[0] != FIRST_BYTE_OF_ALERT && input.data[0] != FIRST_BYTE_OF_HANDSHAKE) {
            refuse(transport, "it does not speak TLS");
            return;
        }
    }
    enum status status =
        tls_session_receive(transport->session, input, &transport->plain, &transport->output);
    flush(transport);
    if (status == STATUS_OK)
        return;
    transport->has_failed = true;
    if (status != STATUS_CLOSED)
        refuse(transport, tls_session_get_failure(transport->session));
}

// Until nothing is left on the socket.
static void take_in(struct client_transport *transport) {
    uint8_t data[READ_BYTES];
    ssize_t len = 0;
    flush(transport);
    while (!transport->has_failed && (len = receive(transport->fd, data, sizeof(data))) > 0)
        decipher(transport, bytes_of(data, (size_t)len));
    if (len < 0)
        transport->has_failed = true;
}

// What has failed here and is not told by TLS itself.
static void tell_end(struct client_transport *transport, const char *name, struct client_failure *failure) {
    const char *why = transport->refusal[0] ? transport->refusal
                      : transport->has_begun
                          ? "it closed the connection in the middle"
                          : "it closed the connection without a word, and may not speak TLS";
    client_failure_set(failure, STATUS_UNAVAILABLE, GRPC_CLIENT_TLS_FAILED,
                       "the TLS handshake with %s failed: %s", name, why);
}

static bool shake_hands(struct client_transport *transport, const char *name, uint64_t deadline_ns,
                        struct client_failure *failure) {
    decipher(transport, BYTES_EMPTY); // speaks first
    while (!transport->has_failed && !tls_session_is_open(transport->session)) {
        if (!client_transport_wait(transport, false, deadline_ns)) {
            client_failure_set(failure, STATUS_UNAVAILABLE, GRPC_CLIENT_CONNECT_TIMEOUT,
                               "%s did not finish the TLS handshake in time", name);
            return false;
        }
        take_in(transport);
    }
    // What came behind the handshake counts, even if the end came with it.
    if (tls_session_is_open(transport->session))
        return true;
    tell_end(transport, name, failure);
    return false;
}

// ---- both ----

struct client_transport *client_transport_open(const struct client_address *address,
                                               const struct tls_client *tls, uint64_t deadline_ns,
                                               const struct clock *clock, struct client_failure *failure) {
    struct client_transport *transport = calloc(1, sizeof(*transport));
    if (transport) {
        transport->clock = clock;
        transport->fd = transport->wake_fd = -1;
    }
    if (!transport || (tls && tls_session_new_of_client(tls, &transport->session) != STATUS_OK)) {
        client_failure_set(failure, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory");
        goto failed;
    }
    transport->fd = client_socket_open(address, deadline_ns, clock, failure);
    if (transport->fd < 0)
        goto failed;
    if (tls && !shake_hands(transport, address->target->text, deadline_ns, failure))
        goto failed;
    return transport;

failed:
    client_transport_close(transport);
    return NULL;
}

struct client_transport *client_transport_open_over(int fd, const struct clock *clock) {
    struct client_transport *transport = calloc(1, sizeof(*transport));
    if (!transport) {
        close(fd);
        return NULL;
    }
    transport->clock = clock;
    transport->fd = fd;
    transport->wake_fd = -1;
    return transport;
}

static void end_tls(struct client_transport *transport) {
    if (!transport->has_failed && tls_session_is_open(transport->session)) {
        tls_session_end(transport->session, &transport->output);
        flush(transport);
    }
    tls_session_free(transport->session);
    if (transport->plain.data)
        secret_wipe(transport->plain.data, transport->plain.capacity);
    buffer_fini(&transport->plain);
    buffer_fini(&transport->output);
}

void client_transport_close(struct client_transport *transport) {
    if (!transport)
        return;
    if (transport->session)
        end_tls(transport);
    if (transport->fd >= 0)
        close(transport->fd);
    free(transport);
}

ssize_t client_transport_read(struct client_transport *transport, uint8_t *to, size_t room) {
    if (!transport->session)
        return receive(transport->fd, to, room);
    if (transport->plain.len == 0)
        take_in(transport);
    size_t len = transport->plain.len < room ? transport->plain.len : room;
    if (len == 0)
        return transport->has_failed ? -1 : 0;
    memcpy(to, transport->plain.data, len);
    buffer_consume(&transport->plain, len);
    return (ssize_t)len;
}

ssize_t client_transport_write(struct client_transport *transport, struct bytes bytes) {
    if (!transport->session)
        return transmit(transport->fd, bytes);
    flush(transport);
    if (transport->has_failed || transport->is_deaf)
        return -1;
    if (transport->output.len > 0)
        return 0;
    if (bytes.len > WRITE_BYTES)
        bytes.len = WRITE_BYTES;
    if (tls_session_send(transport->session, bytes, &transport->output) != STATUS_OK) {
        transport->has_failed = true;
        return -1;
    }
    flush(transport);
    return (ssize_t)bytes.len;
}

bool client_transport_wait(struct client_transport *transport, bool for_room, uint64_t deadline_ns) {
    short events = for_room || transport->output.len > 0 ? POLLIN | POLLOUT : POLLIN;
    return client_socket_wait_or_wake(transport->fd, events, transport->wake_fd, deadline_ns,
                                      transport->clock);
}

void client_transport_set_wake(struct client_transport *transport, int fd) {
    transport->wake_fd = fd;
}

const char *client_transport_find_refusal(const struct client_transport *transport) {
    return transport->refusal[0] ? transport->refusal : NULL;
}
